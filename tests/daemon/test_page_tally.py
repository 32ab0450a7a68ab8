from torhaus.daemon.page.tally import PageTally


def test_what_is_counted_is_a_metric() -> None:
    tally = PageTally()
    tally.requests["overview", "200"] += 3
    tally.sign_ins["wrong"] += 1
    tally.sessions, tally.streams = 2, 1
    rows = {s.name: (s.labels, s.value) for family in tally.families() for s in family.samples}
    assert rows == {
        "torhaus_page_requests_total": ({"view": "overview", "code": "200"}, 3),
        "torhaus_page_sign_ins_total": ({"result": "wrong"}, 1),
        "torhaus_page_sessions": ({}, 2),
        "torhaus_page_streams": ({}, 1),
    }
