// Properties draw the same cases in every run, so that a passed run can be kept by its inputs and a change that
// breaks nothing is never refused for a case nobody saw before. `kwb test --all` draws new ones and goes looking.
import fc from 'fast-check';

const SEED = 20_261_121;
if (!process.env['KWB_TEST_ALL']) fc.configureGlobal({ seed: SEED });
