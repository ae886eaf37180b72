// A request that is refused before its body was read. A connection that is closed with bytes unread is reset, and the
// reset throws away the answer that the client has not read yet: it sees a broken pipe instead of what is wrong. So the
// rest of the body is read and forgotten, up to a bound, and the connection lives on (lingering close, RFC 9112, 9.6).
import type { FastifyInstance } from 'fastify';
import { MAX_FORGOTTEN_BYTES } from '../limits.js';

/** To be called before the server listens. */
export function forgetUnreadBodies(fastify: FastifyInstance): void {
  fastify.addHook('onSend', async ({ raw }, reply) => {
    // Fastify and the refusals of this server ask for the end of a connection only where a body may be unread.
    if (raw.complete || reply.getHeader('connection') !== 'close') return;
    reply.removeHeader('connection');
    let bytes = 0;
    // The time is bounded as well: that of the whole request (REQUEST_LIMIT_MS).
    raw.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_FORGOTTEN_BYTES) raw.socket.destroy();
    });
  });
}
