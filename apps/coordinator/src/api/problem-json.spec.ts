import { ScenarioError } from '@kworkbench/experiment';
import { NotFoundException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { QueueUnavailableError } from '../cell-queues.js';
import { NoReport } from '../experiments.js';
import { jsonPointer, toProblem } from './problem-json.js';
import { BadRequest, TooLarge } from './request.js';
import { StoreUnavailableError, UnknownExperimentError } from '../store/index.js';

describe('problem details', () => {
  it.each([
    ['', ''],
    ['spec.machine.cpus', '/spec/machine/cpus'],
    ['spec.sweep[0].x', '/spec/sweep/0/x'],
    ['spec.a/b~c', '/spec/a~1b~0c'],
  ])('turns the path "%s" into the pointer "%s"', (path, pointer) => expect(jsonPointer(path)).toBe(pointer));

  it('name every problem of a scenario, with the line that the command line would print', () => {
    const error = new ScenarioError([
      { source: 'x.yaml', path: 'spec.machine.cpus', expected: 'an integer from 1 to 4096', got: '"forty"' },
    ]);
    const detail = 'x.yaml: spec.machine.cpus: expected an integer from 1 to 4096, got "forty"';
    expect(toProblem(error)).toMatchObject({
      status: 422,
      detail,
      errors: [{ detail, pointer: '/spec/machine/cpus' }],
    });
  });

  it.each([
    [BadRequest.of('body: expected a scenario'), 400],
    [new TooLarge('too large'), 413],
    [new UnknownExperimentError('e1'), 404],
    [new NoReport('none'), 409],
    [new StoreUnavailableError('away'), 503],
    [new QueueUnavailableError('away'), 503],
    [new NotFoundException(), 404],
    [Object.assign(new Error('too large'), { statusCode: 413 }), 413],
  ])('give %s the status %i', (error, status) => {
    expect(toProblem(error)).toMatchObject({ status, detail: error.message });
  });

  it('keep what went wrong inside to themselves', () => {
    const problem = toProblem(new Error('secret detail'));
    expect(problem.status).toBe(500);
    expect(JSON.stringify(problem)).not.toContain('secret');
  });
});
