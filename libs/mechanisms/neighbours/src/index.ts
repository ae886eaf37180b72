export { neighbours } from './mechanism.js';
