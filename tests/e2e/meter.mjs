// @ts-check
/** Measures what a site sends to any part of a browser: page, worker or service worker. */

import { createServer, request } from "node:http";

/**
 * A response: path, status, size, and times of `performance.now()`.
 *
 * @typedef {{ path: string, status: number, bytes: number, began: number, ended: number }} Sent
 */

/**
 * Starts a measuring proxy to a site.
 *
 * @param {string} address of the site
 * @returns {Promise<{ address: string, sent: Sent[], close: () => void }>} the address of the
 *   proxy, and the responses in order
 */
export async function meter(address) {
  const { hostname, port, pathname } = new URL(address);
  /** @type {Sent[]} */
  const sent = [];
  const server = createServer(({ url: path = "/", method, headers }, response) => {
    const began = performance.now();
    const forwarded = request({ hostname, port, path, method, headers }, (answer) => {
      const { statusCode: status = 500 } = answer;
      const entry = { path: path.slice(pathname.length), status, bytes: 0, began, ended: began };
      sent.push(entry);
      answer.on("data", (/** @type {Buffer} */ { length }) => (entry.bytes += length));
      answer.on("end", () => (entry.ended = performance.now()));
      response.writeHead(status, answer.headers);
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
