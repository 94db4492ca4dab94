// @ts-check
/**
 * A TCP proxy that makes a site slow: every byte takes a while, and a direction carries so many of
 * them in a second. Chromium's own throttling does not reach workers.
 */

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Bytes that one connection sends before it is another connection's turn. */
const SLICE = 4096;
/** Bytes of one connection that wait for the line; a sender that is faster has to wait. */
const WINDOW = 64 * 1024;

/** @typedef {import("node:net").Socket} Socket */
/** @typedef {{ from: Socket, to: Socket, waiting: Buffer[], size: number }} Flow */
/** @typedef {{ roundTrip: number, rate: number }} Speed milliseconds, and bits in a second */

/**
 * Puts a slow line before a site.
 *
 * @param {string} address the site's
 * @param {Speed} speed
 * @returns {Promise<{ address: string, close: () => void }>} the site's address by this line
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
      socket.on("error", () => {}); // a browser may break off
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
 * One direction of the line, which all connections share: in turns, as in a fair queue.
 *
 * @param {number} delay in milliseconds
 * @param {number} rate in bits per second
 */
function direction(delay, rate) {
  const bytesPerMillisecond = rate / 8000;
  /** Connections with bytes that wait, in the order of their turns. @type {Flow[]} */
  const turns = [];
  /** Bytes on the line, in order of arrival. @type {{ to: Socket, slice: Buffer, at: number }[]} */
  const flying = [];
  /** When the line has sent what it was given. */
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
        // A timer that comes late takes nothing from the rate: only an idle line begins now.
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
 * A timer that is set to one time only, on the clock of `performance.now()`.
 *
 * @param {() => void} act
 */
function timer(act) {
  let set = false;
  return {
    /** @param {number} time when to act, unless the timer is set already */
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
