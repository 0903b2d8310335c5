import { PipestatError } from './errors.js'

/**
 * A value (PS-VAL-001). Whole numbers that are safe are integers, so `1.0` is read as `1`
 * (PS-VAL-007). Integers beyond are BigInt: none is ever rounded.
 * @typedef {null | boolean | number | bigint | string | Value[] | { [key: string]: Value }} Value
 */

export const MOST_DEPTH = 100
const INTEGERS = { least: -(2n ** 63n), most: 2n ** 63n - 1n }

/**
 * @param {string} what
 * @returns {never}
 */
export const outside = (what) => {
  throw new PipestatError('store', `${what} is outside the data model`)
}

/** @param {bigint} value */
export const isInteger64 = (value) => value >= INTEGERS.least && value <= INTEGERS.most

/**
 * @param {bigint} value
 * @param {string} text
 */
const integer = (value, text) => {
  if (!isInteger64(value)) outside(text)
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/**
 * @param {number} value
 * @param {string} text
 */
const number = (value, text) => (Number.isFinite(value) ? value : outside(text))

/** @param {string} text */
const negative = (text) => text.startsWith('-')

/**
 * Digits of base 2, 8 or 16; `prefix` is what BigInt() calls it.
 * @param {string} text
 * @param {RegExp} start
 * @param {string} prefix
 */
const based = (text, start, prefix) => {
  const digits = text.replace(start, '')
  const value = digits ? BigInt(prefix + digits) : outside(text)
  return integer(negative(text) ? -value : value, text)
}

/** @param {string} text */
const unsigned = (text) => text.replace(/^[-+]/, '')

/** @type {[RegExp, (text: string) => Value][]} PS-YAML-022, in its order; underscores are dropped before. */
const PLAIN = [
  [/^(~|null|Null|NULL)?$/, () => null],
  [/^(yes|Yes|YES|true|True|TRUE|on|On|ON)$/, () => true],
  [/^(no|No|NO|false|False|FALSE|off|Off|OFF)$/, () => false],
  [/^[-+]?0b[01_]+$/, (text) => based(text, /^[-+]?0b/, '0b')],
  [/^[-+]?0x[0-9A-Fa-f_]+$/, (text) => based(text, /^[-+]?0x/, '0x')],
  [/^[-+]?0[0-7_]+$/, (text) => based(text, /^[-+]?0/, '0o')],
  [/^[-+]?(0|[1-9][0-9_]*)$/, (text) => integer(BigInt(text.replace('+', '')), text)],
  [
    /^[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+$/,
    (text) => {
      const value = unsigned(text).split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n)
      return integer(negative(text) ? -value : value, text)
    },
  ],
  [
    /^([-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?)$/,
    (text) => number(Number(text), text),
  ],
  [
    /^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*$/,
    (text) => {
      const value = unsigned(text).split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
      return number(negative(text) ? -value : value, text)
    },
  ],
  [/^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$/, outside],
]

/**
 * The value of a plain scalar.
 * @param {string} text
 * @returns {Value}
 */
export const resolve = (text) => {
  const found = PLAIN.find(([pattern]) => pattern.test(text))
  return found ? found[1](text.replaceAll('_', '')) : text
}

/**
 * What a string or key may hold (PS-VAL-004).
 * @param {string} text
 */
export const isText = (text) => !text.includes('\0') && !/\p{Surrogate}/u.test(text)
