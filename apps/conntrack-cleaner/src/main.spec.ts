import { fileURLToPath } from 'node:url';
import { describeService } from '@kworkbench/service-host/testing';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

describeService('conntrack-cleaner', MAIN, 'conntrack', 'merged');
