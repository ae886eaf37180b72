// kworkbench.v1.Mechanism: what this service can do, and the cancelling of a cell that runs here.
import { status } from '@grpc/grpc-js';
import { MechanismService, type DescribeResponse, type MechanismServer } from '@kworkbench/contracts';
import type { Mechanism } from '@kworkbench/mechanism';
import { z } from 'zod';
import type { CellRunner } from './cell-runner.js';
import type { HostedService } from './grpc-host.js';

function jsonSchema(schema: z.ZodType): string {
  // What a person writes (`input`), and quantities are parsed by transforms that JSON Schema cannot say: they become `{}`.
  return JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
}

export function describe(mechanism: Mechanism): DescribeResponse {
  return {
    name: mechanism.name,
    title: mechanism.title,
    modelVersion: mechanism.modelVersion,
    variants: mechanism.variants.map(({ id, title, source }) => ({ id, title, source })),
    metrics: mechanism.metrics.map(({ name, unit, help, better }) => ({ name, unit, help, better })),
    published: mechanism.published.map((figure) => ({
      id: figure.id,
      title: figure.title,
      source: figure.source,
      variant: figure.variant,
      metric: figure.metric,
      expected: figure.expected,
      low: figure.low,
      high: figure.high,
      basis: figure.basis,
    })),
    profiles: mechanism.profiles.map((profile) => ({
      id: profile.id,
      title: profile.title,
      cpus: profile.cpus,
      memoryBytes: profile.memoryBytes,
      hz: profile.hz,
      constants: profile.constants.map(({ name, value, unit, basis, source, help }) => ({
        name,
        value,
        unit,
        basis,
        source,
        help,
      })),
    })),
    workloadSchemaJson: jsonSchema(mechanism.workloadSchema),
    kernelSchemaJson: jsonSchema(mechanism.kernelSchema),
  };
}

export function mechanismGrpc(mechanism: Mechanism, runner: CellRunner): HostedService {
  const implementation: MechanismServer = {
    describe: (_call, callback) => callback(null, describe(mechanism)),
    cancelCell: (call, callback) => {
      if (call.request.cellId === '') {
        callback({ code: status.INVALID_ARGUMENT, details: 'cell_id: expected a cell id, got ""' });
        return;
      }
      callback(null, { wasRunning: runner.cancel(call.request.cellId) });
    },
  };
  return { definition: MechanismService, implementation: { ...implementation } };
}
