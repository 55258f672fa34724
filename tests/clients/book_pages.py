"""Opens every page of the book in headless Chromium, as wide as a desk's screen and as a phone's,
light and dark: nothing is missing, nothing stands out over the edge, pictures have light paper.

usage: book_pages.py BOOK PICTURES [PAGE...]    (a picture of each PAGE, by the name of its file)
needs: as page.py
"""

import pathlib, sys

from page import SCREENS, Browser, luminance

MISSING = """return [...document.images]
    .filter(image => !image.complete || image.naturalWidth === 0).map(image => image.src)"""
# the words of pictures are black, whatever the page is
PAPER = """return [...document.querySelectorAll('.content img')]
    .map(image => getComputedStyle(image).backgroundColor)"""
# what mdBook makes beside the chapters
OTHERS = {"404", "print", "toc"}


def look(browser, page, pictures, wanted):
    for screen in SCREENS:
        for scheme in ("light", "dark"):
            name = f"book-{page.stem}-{screen}-{scheme}"
            browser.show(page, screen, scheme)
            errors = browser.errors()
            assert not errors, f"{name}: {errors}"
            missing = browser.script(MISSING)
            assert not missing, f"{name}: no picture at {missing}"
            wide = browser.script("return document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name}: {wide} px wider than the screen"
            light = luminance(browser, "html")
            assert (light > 200) == (scheme == "light"), f"{name}: paper of {light}"
            papers = set(browser.script(PAPER)) - {"rgb(255, 255, 255)"}
            assert not papers, f"{name}: pictures on {papers}"
            if wanted:
                browser.picture(pictures / f"{name}.png")


def main():
    book, pictures = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    named = set(sys.argv[3:])
    pictures.mkdir(parents=True, exist_ok=True)
    pages = [page for page in sorted(book.glob("*.html")) if page.stem not in OTHERS]
    assert pages, f"there is no book in {book}: make docs"
    unknown = named - {page.stem for page in pages}
    assert not unknown, f"no such page: {unknown}"
    with Browser() as browser:
        for page in pages:
            look(browser, page, pictures, page.stem in named)
    print(f"{len(pages)} pages of the book passed")


if __name__ == "__main__":
    main()
