import { BadRequest } from './request.js';

/** The body of a request that carries a scenario: text, whichever type it claims to be. @throws BadRequest */
export function scenarioBody(body: unknown): string {
  if (typeof body === 'string') return body;
  throw BadRequest.of('body: expected a scenario as YAML or JSON, got nothing');
}
