"""The best terms of small invented corpora: whole, one form each, unusual, in bounded memory."""

import csv
import json
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from radar.cli import cli
from radar.text.phrases import TermCounter, best_terms, entropy, likelihood_ratio, npmi, rank

CORPORA = {
    "zh-Hant": (["昨天去{}很開心", "{}的門票好貴", "想念{}啊", "在{}拍照", "聽說{}開幕了"],
           ["環球影城", "鳳梨酥", "珍珠奶茶"]),
    "ja": (["昨日{}に行った", "{}は安い", "また{}で買う", "今日も{}が好き", "駅前の{}を見た"],
           ["ドンキホーテ", "東京タワー", "抹茶ラテ"]),
    "ko": (["어제 {}에서 놀았다", "{}도 최고", "우리 동네 {}", "{}보다 여기", "역시 {}만 찾는다"],
           ["제주도", "성수동 카페", "올리브영"]),
    "th": (["เมื่อวานไป{}มา", "ชอบ{}มาก", "{}อร่อยจริงๆ", "อยากได้{}ค่ะ", "มี{}ไหมครับ"],
           ["เบียร์ช้าง", "ผ้าอนามัย", "บุหรี่ไฟฟ้า"]),
    "en": (["went to {} yesterday", "the {} was great", "we love {} so much", "try {} once", "is {} open?"],
           ["night market", "bubble tea", "lord of the rings"]),
}  # fmt: skip


@pytest.mark.parametrize("language", CORPORA)
def test_units_are_found_whole_and_lead_the_list(language: str) -> None:
    frames, units = CORPORA[language]
    texts = [frame.format(unit) for _, frame, unit in product(range(4), frames, units)]
    found = best_terms(texts, language, 6)
    names = [term.text for term in found]
    assert set(units) <= set(names)
    parts = {
        "影城",
        "環球",
        "鳳梨",
        "奶茶",
        "珍珠",
        "放題",
        "食べ",
        "night",
        "bubble",
        "rings",
        "lord",
        "อนามัย",
        "성수동",
    }
    assert not parts & set(names)


def test_a_part_folds_into_the_whole_that_holds_it() -> None:
    texts = [text for i in range(6) for text in (f"去大阪環球影城第{i}天", "大阪環球影城好玩", "我愛大阪環球影城")]
    found = {term.text: term for term in best_terms(texts, "zh-Hant")}
    assert "大阪環球影城" in found
    assert "環球影城" not in found
    assert "環球影城" in found["大阪環球影城"].folded


def test_a_part_that_mostly_stands_alone_stays() -> None:
    texts = ["大阪環球影城好玩"] * 2 + ["環球影城很棒", "我愛環球影城", "去環球影城", "環球影城的門票"] * 5
    assert "環球影城" in {term.text for term in best_terms(texts, "zh-Hant")}


def test_a_short_and_a_full_name_in_the_same_company_are_one() -> None:
    frames = ["昨日{}へ行く", "駅前{}で買う", "深夜{}へ行く", "渋谷{}で買う"] * 4
    texts = [f.format("ドンキ") for f in frames] + [f.format("ドンキホーテ") for f in frames[:8]]
    found = {term.text: term for term in best_terms(texts, "ja")}
    assert "ドンキ" in found
    assert found["ドンキ"].folded == ("ドンキホーテ",)


def test_names_that_begin_alike_in_other_company_stay_two() -> None:
    texts = ["苺ケーキ!", "誕生日ケーキ!", "駅前ケーキ!"] * 5 + [
        "新宿ケーキセット!",
        "銀座ケーキセット!",
        "横浜ケーキセット!",
    ] * 4
    assert {"ケーキ", "ケーキセット"} <= {term.text for term in best_terms(texts, "ja")}


def test_what_the_background_is_full_of_is_not_unusual() -> None:
    texts = [f"{w} lantern {v}" for w, v in product(("red", "paper", "huge"), ("tonight!", "again!", "glows!"))] * 3
    alone = {term.text for term in best_terms(texts, "en")}
    beside = {term.text for term in best_terms(texts, "en", background={"lantern": 900_000.0})}
    assert "lantern" in alone
    assert "lantern" not in beside


def test_texts_and_persons_are_counted_apart() -> None:
    texts = ["moonbeam moonbeam!", "moonbeam", "a moonbeam", "the moonbeam"]
    term = best_terms(texts, "en", authors=["ann", "ann", "bob", "ann"])[0]
    assert (term.text, term.count, term.docs, term.authors) == ("moonbeam", 5, 4, 2)
    assert best_terms(texts, "en")[0].authors is None


def test_many_authors_are_estimated_within_a_third() -> None:
    texts = ["moonbeam"] * 4_000
    heard = best_terms(texts, "en", authors=[f"kol{i}" for i in range(4_000)])[0].authors
    assert heard is not None
    assert 2_700 < heard < 5_300


def test_memory_is_bounded_and_a_frequent_term_survives() -> None:
    counter = TermCounter(most_entries=200)
    letters = "abcdefghijklmnopqrstuvwxyz"
    for a, b in product(letters, letters):
        counter.add([f"quux{a}{b} moonbeam", f"{a}zorb{b}!"])
        assert len(counter.entries) <= 203
        assert len(counter.words) <= 203
    assert rank(counter, "en", 1)[0].text == "moonbeam"
    assert all(len(e.left) <= 32 and len(e.right) <= 32 for e in counter.entries.values())


def test_batches_do_not_matter() -> None:
    frames, units = CORPORA["en"]
    texts = [frame.format(unit) for frame, unit in product(frames, units)] * 3
    whole, by_one = TermCounter(), TermCounter()
    whole.add(texts)
    for text in texts:
        by_one.add([text])
    assert rank(whole, "en") == rank(by_one, "en")
    assert best_terms(iter(texts), "en") == rank(whole, "en")


def test_association_and_entropy_of_known_cases() -> None:
    assert npmi(5, [5, 5], 500) == pytest.approx(1)
    assert npmi(1, [10, 10], 100) == pytest.approx(0)
    assert npmi(4, [4, 4, 4], 400) == pytest.approx(1)
    assert likelihood_ratio(20, 20, 20, 1_000) > likelihood_ratio(20, 100, 100, 1_000) > 0
    assert entropy({"a": 1, "b": 1, "c": 1, "d": 1}, 0) == 2
    assert entropy({"a": 7}, 0) == 0


def test_nothing_comes_of_nothing() -> None:
    assert best_terms([], "ja") == []
    assert best_terms(["", "!!!", "の"], "ja") == []


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_the_command_reads_a_file_and_prints_terms(tmp_path: Path, kind: str) -> None:
    rows = [
        {"text": t, "who": f"k{i}"} for i, t in enumerate(["night market!", "the night market", "a night market"] * 3)
    ]
    file = tmp_path / f"texts.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
    elif kind == "jsonl":
        file.write_text("\n".join(json.dumps(row) for row in rows))
    else:
        with file.open("w", newline="") as out:
            writer = csv.DictWriter(out, ["text", "who"])
            writer.writeheader()
            writer.writerows(rows)
    call = ["terms", "--file", str(file), "--author", "who", "--language", "en"]
    shown = CliRunner().invoke(cli, [*call, "--format", "json"])
    assert shown.exit_code == 0, shown.output
    first = json.loads(shown.stdout)[0]
    assert (first["text"], first["docs"], first["authors"]) == ("night market", 9, 9)
    assert CliRunner().invoke(cli, [*call, "--format", "csv"]).stdout.splitlines()[1].startswith("night market,9,9,9,")
    assert "night market" in CliRunner().invoke(cli, call, env={"COLUMNS": "150"}).stdout


def test_a_part_that_always_has_the_same_neighbour_is_no_term() -> None:
    texts = [
        "東京タワー会館で食べた",
        "昨日は東京タワー会館へ",
        "東京タワー会館は高い",
        "また東京タワー会館だ",
        "東京タワー会館",
    ]
    names = {term.text for term in best_terms(texts, "ja")}
    assert "東京タワー会館" in names
    assert not {"タワー会館", "東京タワー", "東京"} & names


def test_the_command_leaves_out_texts_in_other_languages(tmp_path: Path) -> None:
    file = tmp_path / "mixed.csv"
    file.write_text(
        "text\n" + "ชอบเบียร์ช้างมาก\nเบียร์ช้างอร่อย\nมีเบียร์ช้างไหม\nnight market\nnight market\nnight market\n" * 2
    )
    call = ["terms", "--file", str(file), "--language", "th", "--format", "json"]
    assert "night market" in CliRunner().invoke(cli, call).stdout
    alone = CliRunner().invoke(cli, [*call, "--only"]).stdout
    assert "night market" not in alone
    assert "เบียร์ช้าง" in alone


def test_the_command_names_the_columns_there_are(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("title\nhello\n")
    done = CliRunner().invoke(cli, ["terms", "--file", str(file)])
    assert "title" in str(getattr(done.exception, "hint", ""))
