// The thread of YamlGuard: reads a text the way it will be read again, and tells whether that came to an end.
import { parentPort } from 'node:worker_threads';
import { parseDocument } from 'yaml';
import type { GuardAnswer } from './yaml-guard.js';

parentPort!.on('message', (text: string) => parentPort!.postMessage(read(text)));
parentPort!.postMessage('ready');

function read(text: string): GuardAnswer {
  try {
    const document = parseDocument(text, { prettyErrors: false });
    // Errors of syntax and of aliases are worded, with their place, when it is read again.
    if (document.errors.length > 0) return { safe: true };
    let value: unknown;
    try {
      value = document.toJS();
    } catch (error) {
      if (error instanceof RangeError) throw error;
      return { safe: true };
    }
    return { safe: true, jsonChars: JSON.stringify(value)?.length ?? 0 };
  } catch (error) {
    // The parser recurses; so does whatever looks at its result.
    if (error instanceof RangeError) return { safe: false, reason: 'expected less nesting' };
    // `&a [*a]` is good YAML, and no message could show it.
    if (error instanceof TypeError) return { safe: false, reason: 'expected no part that contains itself' };
    return { safe: false, reason: 'expected YAML or JSON' };
  }
}
