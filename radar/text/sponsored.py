"""Disclosure markers: a post that says it is paid for. Weak hints (discount codes, group buys) do not count."""

MARKERS = frozenset(
    "業配 合作 廣告 贊助 邀約 公關品 體驗邀請 pr 広告 プロモーション タイアップ 提供 案件 "
    "광고 협찬 유료광고포함 제품제공 체험단 โฆษณา สปอนเซอร์ ได้รับการสนับสนุน "
    "ad sponsored gifted paidpartnership".split()
)
SELF_PAID = frozenset({"내돈내산"})


def is_sponsored(hashtags: list[str]) -> bool:
    """Whether normalised hashtags disclose payment.

    >>> is_sponsored(["pr", "東京"]), is_sponsored(["협찬", "내돈내산"]), is_sponsored(["price"])
    (True, False, False)
    """
    return not MARKERS.isdisjoint(hashtags) and SELF_PAID.isdisjoint(hashtags)
