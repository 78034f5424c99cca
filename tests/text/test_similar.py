"""Nearly the same texts: edited copies are found, honest posts about one thing are not."""

import random

import numpy as np
import pytest

from radar.text.normalise import normalise, split_hashtags
from radar.text.similar import firsts, is_alike, sketches, width

CAMPAIGNS = {
    "en": "Just tried the new moonlantern serum from Osaka and my skin has never felt this good, grab yours "
    "before Friday with the code in my bio",
    "zh": "剛剛試了大阪新出的月燈精華液，皮膚從來沒有這麼好過，真的超級推薦給大家，"
    "週五之前用我的折扣碼下單還可以再便宜一百元喔",
    "ja": "大阪で買った新しい月灯り美容液を使ってみたら肌の調子が本当に良くなりました、"
    "金曜日までにプロフィールのコードで買うと割引になります",
    "ko": "오사카에서 새로 나온 문랜턴 세럼을 써봤는데 피부가 이렇게 좋아진 적이 없어요 "
    "금요일까지 프로필 코드로 구매하시면 할인됩니다",
    "th": "เพิ่งลองเซรั่มมูนแลนเทิร์นตัวใหม่จากโอซาก้า ผิวดีขึ้นมากจริงๆ ไม่เคยเป็นแบบนี้มาก่อน รีบสั่งก่อนวันศุกร์ด้วยโค้ดในโปรไฟล์ของฉัน",
}


def _sketch(text: str) -> bytes | None:
    return sketches([split_hashtags(normalise(text))[0]])[0]


@pytest.mark.parametrize("text", CAMPAIGNS.values(), ids=CAMPAIGNS)
@pytest.mark.parametrize("edit", ["{} 😍😍", "hey!! {}", "{} #ad #moonlantern", "{} 50 https://x.y/z"])
def test_a_copy_with_something_added_is_alike(text: str, edit: str) -> None:
    assert is_alike(_sketch(text), _sketch(edit.format(text)))


@pytest.mark.parametrize("text", CAMPAIGNS.values(), ids=CAMPAIGNS)
def test_a_copy_with_a_few_characters_exchanged_is_alike(text: str) -> None:
    rng, found = random.Random(1), 0
    for _ in range(50):
        at = rng.randrange(len(text) - 6)
        found += is_alike(_sketch(text), _sketch(text[:at] + "NAME" + text[at + 4 :]))
    assert found >= 47


def test_different_posts_about_one_thing_are_not() -> None:
    posts = [
        "Queued an hour for the moonlantern at the Osaka night market and it was worth every minute, what a crowd",
        "My sister brought me a moonlantern back from Osaka, the box alone is prettier than anything on my shelf",
        "Is it only me or is the moonlantern in Osaka smaller than on the pictures? Still bought three of them though",
        "If you go to Osaka this winter, get the moonlantern early: by noon every shop near the castle had sold out",
    ]
    drawn = [_sketch(text) for text in posts]
    assert None not in drawn
    said = np.frombuffer(b"".join(sketch or b"" for sketch in drawn), np.uint8).reshape(4, 32)
    assert firsts(np.arange(4), said, np.ones(4, bool)).all()


def test_short_posts_with_the_same_hashtags_are_never_alike() -> None:
    tags = " #osaka #moonlantern #japantrip #travelgram #foodie #instafood #wanderlust #explore #weekend #love"
    drawn = [_sketch(text + tags) for text in ("So good!", "So good!!", "so good", "Finally here")]
    assert drawn == [None] * 4


def test_texts_of_one_batch_do_not_colour_each_other() -> None:
    texts = [*CAMPAIGNS.values(), "short", *CAMPAIGNS.values()]
    together = sketches(texts)
    assert together == [sketches([text])[0] for text in texts]
    assert together[:5] == together[6:]


def test_width_counts_wide_characters_twice() -> None:
    assert (width("abc"), width("東京"), width("ไทย"), width("서울 x")) == (3, 4, 3, 6)
