"""Markdown of the model: what it becomes, and what it never becomes."""

import pytest

from tests.browser.chat import Chat

pytestmark = pytest.mark.browser

RENDER = """({ MarkdownView }, [text, isOpen]) => {
  const view = new MarkdownView();
  view.show(text, isOpen);
  return view.element.innerHTML;
}"""
GROW = """({ MarkdownView }, text) => {
  const whole = new MarkdownView();
  whole.show(text, false);
  const grown = new MarkdownView();
  for (let length = 1; length <= text.length; length++) grown.show(text.slice(0, length), true);
  grown.show(text, false);
  return [whole.element.innerHTML, grown.element.innerHTML];
}"""
SAMPLE = """# Robots

The **R3** is *better*, see [the guide](https://shop.contoso.example/g?a=1&b=2).

1. First
2. Second
   - nested `code`

| a | b |
|---|---|
| 1 | **2** |

> quoted

```python
print("**not bold**")
```
The end_of_it.
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\n\ntwo", "<p>one</p><p>two</p>"),
        ("one\ntwo", "<p>one\ntwo</p>"),
        ("**bold** and __bold__", "<p><strong>bold</strong> and <strong>bold</strong></p>"),
        ("*it* **b *i* b** ~~no~~", "<p><em>it</em> <strong>b <em>i</em> b</strong> <del>no</del></p>"),
        ("2 * 3 * 4 and snake_case_name", "<p>2 * 3 * 4 and snake_case_name</p>"),
        (r"\*literal\* 5\_6", "<p>*literal* 5_6</p>"),
        ("`a < b` ``c`d``", "<p><code>a &lt; b</code> <code>c`d</code></p>"),
        ("**never closed", "<p>**never closed</p>"),
        ("- a\n- b\n\n- c", "<ul><li>a</li><li>b</li><li>c</li></ul>"),
        ("3. c\n4. d", '<ol start="3"><li>c</li><li>d</li></ol>'),
        ("- a\n  1. b\n- c", "<ul><li>a<ol><li>b</li></ol></li><li>c</li></ul>"),
        ("- a\n  more of a\n\nafter", "<ul><li>a\nmore of a</li></ul><p>after</p>"),
        ("## Title ##\ntext", '<p class="heading">Title</p><p>text</p>'),
        ("a\n\n---\n\nb", "<p>a</p><p>b</p>"),
        ("> a\n> b", "<blockquote><p>a\nb</p></blockquote>"),
        ("a | b", "<p>a | b</p>"),
        ("<b>x</b> &amp; <!-- -->", "<p>&lt;b&gt;x&lt;/b&gt; &amp;amp; &lt;!-- --&gt;</p>"),
    ],
)
def test_markdown_becomes_elements(modules: Chat, text: str, expected: str) -> None:
    assert modules.module("markdown", RENDER, [text, False]) == expected


def test_code_blocks_keep_their_text(modules: Chat) -> None:
    html = modules.module("markdown", RENDER, ["```js\nconst a = `<i>`;\n\n# no heading\n```", False])

    assert html.endswith("<code>const a = `&lt;i&gt;`;\n\n# no heading</code></pre>")


def test_tables_get_headers_and_ragged_rows_are_evened_out(modules: Chat) -> None:
    html = modules.module("markdown", RENDER, ["| a | b |\n|:--|--:|\n| 1 |\n| 1 | 2 | 3 |", False])

    assert html.count('<th scope="col">') == 2
    assert "<tr><td>1</td><td></td></tr><tr><td>1</td><td>2</td></tr>" in html


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("[x](https://a.example/p)", "https://a.example/p"),
        ("see https://a.example/p.", "https://a.example/p"),
        ("[mail](mailto:help@contoso.example)", "mailto:help@contoso.example"),
    ],
)
def test_links_lead_out_safely(modules: Chat, text: str, address: str) -> None:
    html = modules.module("markdown", RENDER, [text, False])

    assert f'href="{address}"' in html
    assert 'target="_blank" rel="noopener noreferrer nofollow ugc"' in html


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert)",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "[x](//evil.example)",
        "[x](/api/chat)",
        "[x](blob:1234)",
        '<a href="javascript:alert(1)">x</a>',
        "<img src=x onerror=alert(1)>",
        "[x](file:///etc/passwd)",
    ],
)
def test_nothing_but_safe_addresses_becomes_a_link_and_html_stays_text(modules: Chat, text: str) -> None:
    html = modules.module("markdown", RENDER, [text, False])

    assert html.startswith("<p>")
    assert "<a " not in html
    assert "<img" not in html


def test_an_image_is_not_fetched(modules: Chat) -> None:
    html = modules.module("markdown", RENDER, ["![pixel](https://evil.example/p.png?q=secret)", False])

    assert "<img" not in html


def test_bold_that_is_still_being_written_is_shown_bold(modules: Chat) -> None:
    assert modules.module("markdown", RENDER, ["The **Robo", True]) == "<p>The <strong>Robo</strong></p>"


def test_text_that_grew_character_by_character_looks_like_text_that_came_at_once(modules: Chat) -> None:
    whole, grown = modules.module("markdown", GROW, SAMPLE)

    assert grown == whole
    assert "<table>" in whole
    assert "<strong>2</strong>" in whole


@pytest.mark.parametrize(
    "mark", ["*", "**", "_", "`", "[", "](", "~~", "|", "- ", "> ", "#", "\\", "h", "(", " \n", "*a ", "[a]("]
)
def test_hostile_repetition_does_not_freeze_the_page(modules: Chat, mark: str) -> None:
    measure = """({ MarkdownView }, text) => {
      const start = performance.now();
      const view = new MarkdownView();
      view.show(text, true);
      view.show("# " + " ".repeat(20_000) + text + "x", true);
      return performance.now() - start;
    }"""

    milliseconds = modules.module("markdown", measure, mark * 10_000)

    assert milliseconds < 1_500


def test_what_is_read_aloud_has_no_marks(modules: Chat) -> None:
    spoken = modules.module("markdown", "({ spokenText }, text) => spokenText(text)", SAMPLE)

    assert spoken.startswith("Robots The R3 is better, see the guide. ")
    assert not set("*`|#") & set(spoken)
