import { assertEquals } from "@std/assert";
import { firstSegment } from "../daemon/gateway/gateway_route.ts";

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
  for (const [url, segment] of URLS) {
    assertEquals(firstSegment(url), segment, url);
    // Whichever one is thought likely.
    for (const [, likely] of URLS) assertEquals(firstSegment(url, likely), segment, url);
  }
});
