import { isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml'
import { PipestatError } from './errors.js'
import { isText, MOST_DEPTH, outside, resolve } from './values.js'

/**
 * @import { Document, Scalar } from 'yaml'
 * @import { Value } from './values.js'
 * @typedef {Map<string, unknown>} Mapping keys are text, values nodes
 */

const MOST_DEPTH_OF_A_FILE = 120
const MOST_ADDED = 100_000
const TAG = 'tag:yaml.org,2002:'

/**
 * @param {string} message
 * @returns {never}
 */
const refuse = (message) => {
  throw new PipestatError('store', message)
}

const tooDeep = () => refuse(`its depth is more than ${MOST_DEPTH_OF_A_FILE}`)

/**
 * One YAML document, in which scalars are text until their value is asked for.
 *
 * The library parses with its smallest schema, in which all scalars are strings; tags, merge keys
 * and limits are seen to here (spec/yaml.md).
 */
export class YamlText {
  /** @param {string} text */
  constructor(text) {
    const documents = parsed(text)
    if (documents.length > 1) refuse('there is more than one document')
    this.document = /** @type {Document} */ (documents[0])
    const error = this.document?.errors[0]
    if (error) refuse(error.message.split('\n')[0] ?? '')
    /** @type {Map<unknown, { nodes: number, depth: number } | null>} */
    this.sizes = new Map()
    this.added = 0
    const top = this.document?.contents
    if (top && this.#measure(top).depth > MOST_DEPTH_OF_A_FILE) tooDeep()
  }

  /**
   * The top mapping, or null for an empty text.
   * @returns {Mapping | null}
   */
  top() {
    const contents = this.document?.contents
    if (contents == null || this.isNull(contents)) return null
    return this.mapping(contents) ?? refuse('the top is no mapping')
  }

  /**
   * A mapping with the text of its keys; null for any other node.
   * @param {unknown} node
   * @returns {Mapping | null}
   */
  mapping(node) {
    const map = this.#named(node)
    if (!isMap(map)) return null
    /** @type {Mapping} */
    const entries = new Map()
    /** @type {Mapping} */
    const merged = new Map()
    for (const { key, value } of map.items) {
      const scalar = this.#named(key)
      if (!isScalar(scalar)) return refuse('a key is no scalar')
      if (scalar.value === '<<' && scalar.type === 'PLAIN') {
        for (const one of this.#mergedMappings(value)) {
          for (const [name, node] of one) if (!merged.has(name)) merged.set(name, node)
        }
      } else entries.set(String(scalar.value), value)
    }
    for (const [name, node] of merged) if (!entries.has(name)) entries.set(name, node)
    return entries
  }

  /**
   * @param {unknown} value
   * @returns {Mapping[]}
   */
  #mergedMappings(value) {
    const node = this.#named(value)
    const nodes = isSeq(node) ? node.items : [node]
    return nodes.map((one) => this.mapping(one) ?? refuse('<< merges what is no mapping'))
  }

  /** @param {unknown} node */
  isNull(node) {
    if (node == null) return true
    const scalar = this.#named(node)
    if (!isScalar(scalar) || (scalar.tag ? scalar.tag !== `${TAG}null` : scalar.type !== 'PLAIN')) return false
    return resolve(String(scalar.value)) === null
  }

  /**
   * The text of a node that is a string, else null.
   * @param {unknown} node
   */
  string(node) {
    if (!isScalar(this.#named(node))) return null
    const value = this.value(node)
    return typeof value === 'string' ? value : null
  }

  /**
   * @param {unknown} node
   * @returns {Value}
   */
  value(node) {
    if (node == null) return null
    const depth = this.sizes.get(node)?.depth ?? 0
    if (depth > MOST_DEPTH) outside(`a depth of more than ${MOST_DEPTH}`)
    const found = this.#named(node)
    if (isSeq(found)) return found.items.map((item) => this.value(item))
    const mapping = this.mapping(found)
    if (mapping) {
      // Not by assignment, for which the key __proto__ is another thing.
      return Object.fromEntries([...mapping].map(([key, item]) => [checked(key), this.value(item)]))
    }
    return scalarValue(/** @type {Scalar} */ (found))
  }

  /** @param {unknown} node */
  #named(node) {
    return isAlias(node) ? node.resolve(this.document) : node
  }

  /**
   * How many nodes and which depth a node has with its aliases written out; each is looked at once.
   * @param {unknown} node
   * @param {number} [above] collections around it
   * @returns {{ nodes: number, depth: number }}
   */
  #measure(node, above = 0) {
    if (above > MOST_DEPTH_OF_A_FILE) tooDeep()
    const known = this.sizes.get(node)
    if (known) return known
    if (known === null) refuse('an alias stands within the node that it names')
    this.sizes.set(node, null)
    const size = this.#sizeOf(node, above)
    this.sizes.set(node, size)
    return size
  }

  /**
   * @param {unknown} node
   * @param {number} above
   */
  #sizeOf(node, above) {
    if (isAlias(node)) {
      const target = node.resolve(this.document) ?? refuse(`no node is called &${node.source}`)
      const size = this.#measure(target, above)
      this.added += size.nodes
      if (this.added > MOST_ADDED) refuse(`aliases add more than ${MOST_ADDED} nodes`)
      return size
    }
    checkTag(node)
    const children = isSeq(node)
      ? node.items
      : isMap(node)
        ? node.items.flatMap(({ key, value }) => [key, value])
        : []
    const sizes = children.map((child) => this.#measure(child, above + 1))
    return {
      nodes: 1 + sizes.reduce((sum, size) => sum + size.nodes, 0),
      depth: isSeq(node) || isMap(node) ? 1 + Math.max(0, ...sizes.map((size) => size.depth)) : 0,
    }
  }
}

/** @param {string} text */
const parsed = (text) => {
  try {
    return parseAllDocuments(text, { schema: 'failsafe', version: '1.1', logLevel: 'silent' })
  } catch (error) {
    // What has a depth of thousands.
    return refuse(String(error))
  }
}

const STRINGS = ['!', `${TAG}str`, `${TAG}timestamp`, `${TAG}value`]

/** @type {Record<string, (value: Value, text: string) => boolean>} */
const FITS = {
  null: (value) => value === null,
  bool: (value) => typeof value === 'boolean',
  int: (value, text) => typeof value === 'bigint' || (Number.isInteger(value) && !text.includes('.')),
  float: (value, text) => typeof value === 'number' || /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text),
}

/** @param {unknown} node */
const checkTag = (node) => {
  const { tag } = /** @type {{ tag?: string }} */ (node ?? {})
  if (!tag) return
  const fits = isScalar(node)
    ? STRINGS.includes(tag) || fitsTag(node, tag)
    : tag === (isSeq(node) ? `${TAG}seq` : `${TAG}map`)
  if (!fits) refuse(`the tag ${tag} is unknown or does not fit`)
}

/**
 * @param {Scalar} node
 * @param {string} tag
 */
const fitsTag = (node, tag) => {
  const text = String(node.value)
  const fits = tag.startsWith(TAG) ? FITS[tag.slice(TAG.length)] : undefined
  try {
    return fits ? fits(resolve(text), text) : false
  } catch {
    // Outside the data model, which concerns its record alone.
    return true
  }
}

/**
 * @param {Scalar} node
 * @returns {Value}
 */
const scalarValue = ({ tag, type, value }) => {
  const text = checked(String(value))
  if (tag ? STRINGS.includes(tag) : type !== 'PLAIN' || text === '=') return text
  if (tag !== `${TAG}float`) return resolve(text)
  const number = Number(text.replaceAll('_', ''))
  return Number.isFinite(number) ? number : Number(resolve(text))
}

/** @param {string} text */
const checked = (text) => (isText(text) ? text : outside('U+0000 or half a character'))
