import { assertEquals } from "@std/assert";
import { firstSegment, router } from "../daemon/gateway/gateway_route.ts";

const URLS: readonly (readonly [url: string, segment: string | undefined])[] = [
  ["http://localhost/shop/cart", "shop"],
  ["http://localhost/shop/", "shop"],
  ["http://localhost/shop", "shop"],
  ["http://localhost/shop?a=/b", "shop"],
  ["http://localhost/shops/cart", "shops"],
  ["http://localhost/shop/cart", "shop"],
  ["http://localhost/shop#/cart", "shop"],
  ["http://localhost//shop/cart", ""],
  ["http://localhost/other//cart", "other"],
  ["http://localhost/other/../shop/", "other"],
  ["http://localhost", undefined],
  ["http://localhost/", ""],
  ["https://shop/other/", "other"],
  ["http://localhost/%2e%2e/shop", "%2e%2e"],
];

Deno.test("a request is for the first segment of its path, to the letter", () => {
  for (const [url, segment] of URLS) assertEquals(firstSegment(url), segment, url);
});

Deno.test("whatever was asked for before, a request goes to the plugin that it names", () => {
  const named = URLS.filter(([, segment]) => segment !== undefined && /^[a-z]+$/.test(segment));
  const route = router();
  for (const [url, segment] of named) {
    for (const [before] of URLS) {
      route(before, null);
      assertEquals(route(url, null), segment, `${url} after ${before}`);
    }
  }
  const nobody = route("http://localhost/%2e%2e/shop", null);
  assertEquals(typeof nobody === "string" ? nobody : nobody.status, 404);
  route("http://localhost/shop/", "localhost");
  for (const host of ["a b", "a?", "a#b", "b@a", "a\\b"]) {
    const nowhere = route(`http://${host}/shop/`, null);
    assertEquals(typeof nowhere === "string" ? nowhere : nowhere.status, 400, host);
  }
  // The same URL as with another host and path.
  const hidden = route("http://localhost/shop/other/", "localhost/shop");
  assertEquals(typeof hidden === "string" ? hidden : hidden.status, 400);
});
