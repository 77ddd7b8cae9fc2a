from jobs.config_lines import key_lines


def test_every_way_to_write_a_key_is_found() -> None:
    text = 'a.b = 1\n[c]\nd = """\ne = 2\n"""\n"f g" = 3 # [x]\n[ h ] # note\n  i=[\n 1,\n]\nj.k = 4\n'
    lines = key_lines(text)
    assert (lines["a"], lines["a.b"]) == (1, 1)
    assert (lines["c"], lines["c.d"], lines["c.f g"]) == (2, 3, 6)
    assert (lines["h"], lines["h.i"], lines["h.j.k"]) == (7, 8, 11)
    assert "c.e" not in lines
