"""Draws the add-in's icons in every size that Outlook asks for: `make icons`. The SVG is their source."""

import asyncio
import shutil
from pathlib import Path

from playwright.async_api import async_playwright

SIZES = (16, 32, 64, 80, 128, 192)
HERE = Path(__file__).parent / "src"


async def draw() -> None:
    svg = (HERE / "icon.svg").read_text()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for size in SIZES:
            page = await browser.new_page(viewport={"width": size, "height": size})
            await page.set_content(f"<style>body{{margin:0}}svg{{display:block;width:{size}px}}</style>{svg}")
            await page.screenshot(path=HERE / "icons" / f"icon-{size}.png", omit_background=True)
        await browser.close()


asyncio.run(draw())
