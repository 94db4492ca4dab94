// @ts-check
/**
 * A TCP proxy that slows a site down: it delays each byte and limits the rate in each direction.
 * The throttling of Chromium does not apply to workers.
 */

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Bytes that one connection sends before the next connection has its turn. */
const SLICE = 4096;
/** Maximum number of queued bytes of a connection. A faster sender has to wait. */
const WINDOW = 64 * 1024;

/** @typedef {import("node:net").Socket} Socket */
/** @typedef {{ from: Socket, to: Socket, waiting: Buffer[], size: number }} Flow */
/** @typedef {{ roundTrip: number, rate: number }} Speed in milliseconds and bits per second */

/**
 * Starts a slow line to a site.
 *
 * @param {string} address of the site
 * @param {Speed} speed
 * @returns {Promise<{ address: string, close: () => void }>} the address of the proxy
 */
export async function slowLine(address, { roundTrip, rate }) {
  const { hostname, port, pathname } = new URL(address);
  /** @type {Set<Socket>} */
  const sockets = new Set();
  const up = direction(roundTrip / 2, rate);
  const down = direction(roundTrip / 2, rate);
  const server = createServer({ noDelay: true }, (client) => {
    const site = connect({ host: hostname, port: Number(port), noDelay: true });
    for (const [socket, other] of [
      [client, site],
      [site, client],
    ]) {
      sockets.add(socket);
      socket.on("error", () => {}); // a browser may abort
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    // The handshake takes a round trip before the first byte of a request is sent.
    setTimeout(() => {
      up.carry(client, site);
      down.carry(site, client);
    }, roundTrip);
  });
  await once(server.listen(0, hostname), "listening");
  const own = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    address: `http://${hostname}:${own.port}${pathname}`,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * One direction of the line. All connections share it in turns, as in a fair queue.
 *
 * @param {number} delay in milliseconds
 * @param {number} rate in bits per second
 */
function direction(delay, rate) {
  const bytesPerMillisecond = rate / 8000;
  /** Connections with queued bytes, in the order of their turns. @type {Flow[]} */
  const turns = [];
  /** Bytes on the line, in order of arrival. @type {{ to: Socket, slice: Buffer, at: number }[]} */
  const flying = [];
  /** Time at which the line has sent all its bytes. */
  let free = 0;
  const send = timer(() => {
    while (turns.length > 0 && free <= performance.now()) {
      const flow = /** @type {Flow} */ (turns.shift());
      const slice = take(flow);
      if (flow.waiting.length > 0) turns.push(flow);
      free += slice.length / bytesPerMillisecond;
      flying.push({ to: flow.to, slice, at: free + delay });
      arrive.at(flying[0].at);
    }
    if (turns.length > 0) send.at(free);
  });
  const arrive = timer(() => {
    while (flying.length > 0 && flying[0].at <= performance.now()) {
      const { to, slice } = /** @type {typeof flying[number]} */ (flying.shift());
      if (to.writable) to.write(slice);
    }
    if (flying.length > 0) arrive.at(flying[0].at);
  });

  return {
    /**
     * @param {Socket} from
     * @param {Socket} to
     */
    carry(from, to) {
      const flow = { from, to, waiting: /** @type {Buffer[]} */ ([]), size: 0 };
      from.on("data", (bytes) => {
        // A late timer does not reduce the rate: only an idle line starts now.
        if (turns.length === 0) free = Math.max(free, performance.now());
        if (flow.waiting.length === 0) turns.push(flow);
        flow.waiting.push(bytes);
        flow.size += bytes.length;
        if (flow.size > WINDOW) from.pause();
        send.at(free);
      });
    },
  };
}

/**
 * A timer with one deadline, on the clock of `performance.now()`.
 *
 * @param {() => void} act
 */
function timer(act) {
  let set = false;
  return {
    /** @param {number} time deadline, unless the timer is set already */
    at(time) {
      if (set) return;
      set = true;
      setTimeout(() => {
        set = false;
        act();
      }, time - performance.now());
    },
  };
}

/**
 * The next bytes of a connection.
 *
 * @param {Flow} flow
 */
function take(flow) {
  const first = /** @type {Buffer} */ (flow.waiting.shift());
  const slice = first.subarray(0, SLICE);
  if (first.length > SLICE) flow.waiting.unshift(first.subarray(SLICE));
  flow.size -= slice.length;
  if (flow.size < WINDOW / 2) flow.from.resume();
  return slice;
}
