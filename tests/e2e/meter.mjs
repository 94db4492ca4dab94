// @ts-check
/** Counts what a site sends, to whichever part of a browser: page, worker or service worker. */

import { createServer, request } from "node:http";

/**
 * Puts a meter before a site.
 *
 * @param {string} address the site's
 * @returns {Promise<{ address: string, sent: { path: string, bytes: number }[], close: () => void }>}
 *   the metered address, and the bodies that were sent, in order
 */
export async function meter(address) {
  const { hostname, port, pathname } = new URL(address);
  /** @type {{ path: string, bytes: number }[]} */
  const sent = [];
  const server = createServer(({ url: path = "/", method, headers }, response) => {
    const forwarded = request({ hostname, port, path, method, headers }, (answer) => {
      const entry = { path: path.slice(pathname.length), bytes: 0 };
      sent.push(entry);
      answer.on("data", (/** @type {Buffer} */ { length }) => (entry.bytes += length));
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    forwarded.on("error", () => response.destroy());
    forwarded.end();
  });
  await new Promise((started) => server.listen(0, "127.0.0.1", () => started(undefined)));
  const own = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    address: `http://127.0.0.1:${own.port}${pathname}`,
    sent,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
