"""A browser whose requests a test's own site answers, without a port."""

from urllib.parse import urljoin

from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, Request, Route

SITE = "http://testshire.localhost"


async def serve(page: Page, client: AsyncTestClient[Litestar]) -> None:
    """Answer every request of the page by the site that the client is a browser of."""

    async def answer(route: Route, request: Request) -> None:
        if request.resource_type == "eventsource":
            # A stream never ends, and what is answered here is answered whole.
            await route.abort()
            return
        headers = {
            name: value
            for name, value in (await request.all_headers()).items()
            if not name.startswith(":") and name not in {"cookie", "accept-encoding"}
        }
        answered = await client.request(
            request.method,
            request.url,
            headers=headers,
            content=request.post_data_buffer or b"",
            # A script's own request goes on by itself, as a browser's would.
            follow_redirects=request.resource_type in {"fetch", "xhr"},
        )
        if answered.is_redirect:
            # The browser refuses a redirect that is made up; a page that goes on at once is none.
            onward = urljoin(request.url, answered.headers["location"])
            body = f'<meta http-equiv="refresh" content="0;url={onward}">'
            await route.fulfill(status=200, content_type="text/html", body=body)
            return
        await route.fulfill(
            status=answered.status_code,
            headers={
                name: value
                for name, value in answered.headers.items()
                if name not in {"content-length", "content-encoding", "transfer-encoding"}
            },
            body=answered.content,
        )

    await page.route("**/*", answer)
