import { PipestatError } from './errors.js'
import { checkIdentifier, RESERVED } from './identifiers.js'
import { isInteger64, isText, MOST_DEPTH } from './values.js'

/**
 * @import { Level } from './results.js'
 *
 * @typedef {object} Source
 * @property {string} [engine]
 * @property {string} [run]
 * @property {string} [rule]
 * @property {string} [process]
 * @property {string} [task]
 * @property {string} [pipeline_version]
 * @property {number} [attempt] from 1
 *
 * @typedef {object} Report
 * @property {string} record identifier of the record
 * @property {Record<string, unknown>} [results] at least this or `status`
 * @property {string} [status]
 * @property {string} [statusMessage]
 * @property {string} [namespace]
 * @property {Level} [level]
 * @property {Date} [time] when the results were made
 * @property {Source & Record<string, unknown>} [source] which run made them
 */

/**
 * The text of a report document (spec/documents.md), which `pipestat-spec ingest` takes in.
 * @param {Report} report
 */
export const reportDocument = (report) => {
  const { record, results, status, statusMessage, namespace, level, time, source } = report
  checkIdentifier(record)
  if (namespace !== undefined) checkIdentifier(namespace, 'a namespace')
  if (level !== undefined) require(['sample', 'project'].includes(level), `level ${level} is not known`)
  require(results !== undefined || status !== undefined, 'neither results nor a status is given')
  if (results !== undefined) checkResults(results)
  if (status !== undefined) {
    const good = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(status)
    require(good, `${status} is no status: letters, digits, _, . and -, at most 64`)
  }
  require(statusMessage === undefined || status !== undefined, 'a status message needs a status')
  if (source !== undefined) checkSource(source)
  const document = {
    pipestat_report: '1.0', namespace, level, record_identifier: record, results, status,
    status_message: statusMessage, time, source,
  }
  const entries = Object.entries(document)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${toJson(key)}: ${toJson(value, key)}`)
  return `{${entries.join(', ')}}`
}

/**
 * @param {boolean} good
 * @param {string} message
 */
function require(good, message) {
  if (!good) throw new PipestatError('validation', message)
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isPlainObject = (value) =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))

/** @param {unknown} results */
const checkResults = (results) => {
  if (!isPlainObject(results)) throw new PipestatError('validation', 'results are an object')
  for (const name of Object.keys(results)) {
    checkIdentifier(name, 'the name of a result')
    require(!RESERVED.has(name), `${name} is a reserved name`)
  }
}

const SOURCE_TEXTS = ['engine', 'run', 'rule', 'process', 'task', 'pipeline_version']

/** @param {unknown} source */
const checkSource = (source) => {
  if (!isPlainObject(source)) throw new PipestatError('validation', 'a source is an object')
  for (const key of SOURCE_TEXTS) {
    require(source[key] === undefined || typeof source[key] === 'string', `${key} of a source is no text`)
  }
  const { attempt } = source
  require(
    attempt === undefined || (Number.isSafeInteger(attempt) && Number(attempt) >= 1),
    'attempt of a source is an integer from 1',
  )
}

/**
 * A value as JSON, exactly (PS-VAL-014). `undefined` inside an object is left out; typed arrays are
 * arrays, dates text; what JSON cannot say is refused.
 * @param {unknown} value
 * @param {string} [where] names the value in errors
 * @param {number} [room] how much deeper it may become
 * @returns {string}
 */
export const toJson = (value, where = 'value', room = MOST_DEPTH + 1) => {
  switch (typeof value) {
    case 'boolean':
      return String(value)
    case 'number':
      return numberJson(value, where)
    case 'bigint':
      require(isInteger64(value), `${where} has more than 64 bits`)
      return String(value)
    case 'string':
      require(isText(value), `${where} holds U+0000 or half a character`)
      return JSON.stringify(value)
    case 'object': {
      if (value === null) return 'null'
      if (value instanceof Date && !Number.isNaN(value.getTime())) return JSON.stringify(value)
      require(room > 0, `${where} has a depth of more than ${MOST_DEPTH}`)
      const array = itemsOf(value)
      if (array) return `[${array.map((item, i) => toJson(item, `${where}[${i}]`, room - 1)).join(', ')}]`
      if (!isPlainObject(value)) break
      const entries = Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => `${toJson(key, where)}: ${toJson(item, `${where}.${key}`, room - 1)}`)
      return `{${entries.join(', ')}}`
    }
  }
  throw new PipestatError('validation', `${where} is a ${typeName(value)}, which results cannot hold`)
}

/**
 * The items of an array, a hole being undefined, or of a typed one.
 * @param {object} value
 * @returns {unknown[] | null}
 */
const itemsOf = (value) => {
  if (Array.isArray(value)) return Array.from(value)
  const bytes = value instanceof Uint8Array || value instanceof Uint8ClampedArray
  if (!ArrayBuffer.isView(value) || value instanceof DataView || bytes) return null
  return Array.from(/** @type {Iterable<number>} */ (/** @type {unknown} */ (value)))
}

/**
 * A dot or an exponent tells a number from an integer; only safe integers are integers.
 * @param {number} value
 * @param {string} where
 */
const numberJson = (value, where) => {
  require(Number.isFinite(value), `${where} is ${value}`)
  if (Object.is(value, -0)) return '-0.0'
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value)
}

/** @param {unknown} value */
const typeName = (value) => (typeof value === 'object' ? (value?.constructor?.name ?? 'object') : typeof value)
