export { reportDocument } from './emit.js'
export { PipestatError } from './errors.js'
export { Results } from './results.js'

/**
 * @typedef {import('./emit.js').Report} Report
 * @typedef {import('./results.js').About} About
 * @typedef {import('./results.js').Level} Level
 * @typedef {import('./values.js').Value} Value
 */
