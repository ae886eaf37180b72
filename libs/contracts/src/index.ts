// The contracts: what crosses a process boundary. `generated/` is made from proto/ by `npm run generate`.
import { FILE_DESCRIPTOR_SET_BASE64 } from './generated/descriptors.js';

export {
  CatalogueClient,
  CatalogueService,
  type CatalogueServer,
  type ScenarioFacts as ScenarioFactsMessage,
} from './generated/kworkbench/v1/catalogue.js';
export {
  CellsClient,
  CellsService,
  type CellsServer,
  type GetCellResponse,
  type ReadSeriesRequest,
  type ReadSeriesResponse,
} from './generated/kworkbench/v1/cells.js';
export * from './generated/kworkbench/v1/experiments.js';
export {
  MechanismClient,
  MechanismService,
  type MechanismServer,
  type CancelCellRequest,
  type CancelCellResponse,
  type DescribeRequest,
  type DescribeResponse,
} from './generated/kworkbench/v1/mechanism.js';
export {
  PublishRequest,
  PublishResponse,
  PublishResponse_Result,
  TelemetryIngestClient,
  TelemetryIngestService,
  type TelemetryIngestServer,
} from './generated/kworkbench/v1/telemetry.js';
// The messages of these two files share names with the domain's own types (`Frame`, `Variant`), so they keep a prefix.
export type * as mechanismV1 from './generated/kworkbench/v1/mechanism.js';
export type * as telemetryV1 from './generated/kworkbench/v1/telemetry.js';
export * from './telemetry-messages.js';

/** google.protobuf.FileDescriptorSet of all contracts, for server reflection. */
export function fileDescriptorSet(): Buffer {
  return Buffer.from(FILE_DESCRIPTOR_SET_BASE64, 'base64');
}
