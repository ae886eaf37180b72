// Where the coordinator is. Apart from the client, whose gRPC library only the verbs that need it load.
import { Option } from 'commander';

export const STANDARD_COORDINATOR = '127.0.0.1:50051';

export const coordinatorOption = (): Option =>
  new Option('--coordinator <host:port>', 'gRPC address of the coordinator')
    .env('KWB_COORDINATOR')
    .default(STANDARD_COORDINATOR);
