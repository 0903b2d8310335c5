import { PipestatError } from './errors.js'
import { byCodePoints, checkIdentifier, RESERVED } from './identifiers.js'
import { asUtc, isLocal, nextMicrosecond, timeThatCounts } from './times.js'
import { YamlText } from './yaml.js'

/**
 * @import { Value } from './values.js'
 * @import { Mapping } from './yaml.js'
 * @typedef {'sample' | 'project'} Level
 * @typedef {{ [name: string]: Value }} Values
 *
 * @typedef {object} About
 * @property {string | null} status
 * @property {string | null} status_time since when, in UTC: `2026-01-31T12:00:00.123456Z`
 * @property {string | null} status_message
 * @property {Values | null} source which run, rule or process last changed the record
 * @property {string | null} created
 * @property {string | null} modified
 *
 * @typedef {object} Options
 * @property {string} [namespace] the pipeline whose records are meant; not needed where there is one
 * @property {boolean} [multiPipelines] accept a file that holds only other namespaces
 * @property {(namespace: string, record: string) => Flag | undefined} [flagOf]
 *   the status that another program set by a flag beside the file, and when
 *
 * @typedef {{ status: string, time: Date }} Flag
 */

/**
 * The records of one namespace in the text of a results file.
 *
 *     const results = new Results(await (await fetch('results.yaml')).bytes())
 *     for (const record of results.records()) console.log(record, results.retrieve(record))
 *
 * Every method throws a PipestatError for what the specification refuses.
 */
export class Results {
  /** @type {YamlText} */
  #yaml
  #inLevels = false
  /** @type {(record: string) => Flag | undefined} */
  #flag = () => undefined
  /** @type {Record<Level, Mapping>} */
  #levels = { sample: new Map(), project: new Map() }

  /**
   * @param {string | Uint8Array} text the file's bytes, or its text
   * @param {Options} [options]
   */
  constructor(text, { namespace, multiPipelines = false, flagOf } = {}) {
    this.#yaml = new YamlText(typeof text === 'string' ? text : decode(text))
    const top = this.#yaml.top() ?? new Map()
    const others = [...top.keys()].filter((name) => !name.startsWith('_'))
    if (namespace === undefined && others.length > 1) {
      throw new PipestatError('layout', `the file holds ${others.join(', ')}; say which is meant`)
    }
    /** Whose records these are; undefined in an empty file. */
    const chosen = namespace ?? others[0]
    this.namespace = chosen
    if (chosen === undefined) return
    if (flagOf) this.#flag = (record) => flagOf(chosen, record)
    if (others.length && !others.includes(chosen) && !multiPipelines) {
      throw new PipestatError('layout', `the file holds ${others.join(', ')}, not ${chosen}`)
    }
    this.#find(top.get(chosen))
  }

  /**
   * The identifiers of all records, ordered by code points.
   * @param {Level} [level]
   */
  records(level = 'sample') {
    return [...this.#levels[level].keys()].sort(byCodePoints)
  }

  /**
   * All results of a record, or those of `names` that were reported.
   * @param {string} record
   * @param {{ level?: Level, names?: string[] }} [options]
   * @returns {Values}
   */
  retrieve(record, { level, names } = {}) {
    const { values } = this.#record(record, level)
    if (!names) return values
    const found = names.filter((name) => Object.hasOwn(values, name))
    if (!found.length) throw new PipestatError('not-found', `${record} has no result ${names.join(', ')}`)
    return Object.fromEntries(found.map((name) => [name, values[name] ?? null]))
  }

  /**
   * Status, source and times of a record.
   * @param {string} record
   * @param {{ level?: Level }} [options]
   * @returns {About}
   */
  describe(record, { level } = {}) {
    return this.#record(record, level).about
  }

  /**
   * The status of a record; null without one, and for an unknown record.
   * @param {string} record
   * @param {{ level?: Level }} [options]
   */
  status(record, { level = 'sample' } = {}) {
    checkIdentifier(record)
    if (this.#levels[level].has(record)) return this.describe(record, { level }).status
    // Another program may set a status before there is a record (PS-YAML-039, PS-YAML-041).
    const known = Object.values(this.#levels).some((records) => records.has(record))
    return known ? null : (this.#flag(record)?.status ?? null)
  }

  /**
   * For each result that was replaced or removed its former values, by time.
   * @param {string} record
   * @param {{ level?: Level }} [options]
   * @returns {{ [name: string]: Values }}
   */
  history(record, { level } = {}) {
    const { meta, left, value } = this.#record(record, level)
    const kept = this.#yaml.mapping(meta.get('history')) ?? new Map()
    const precise = this.#yaml.mapping(meta.get('history_times')) ?? new Map()
    /** @type {[string, Values][]} */
    const found = []
    for (const result of new Set([...kept.keys(), ...left.keys()])) {
      const times = this.#yaml.mapping(precise.get(result)) ?? new Map()
      // An entry in `meta` is stronger than one that pipestat left.
      const entries = new Map(this.#yaml.mapping(left.get(result)) ?? [])
      for (const [key, node] of this.#yaml.mapping(kept.get(result)) ?? []) entries.set(key, node)
      /** @type {Values} */
      const byTime = {}
      for (const [key, node] of entries) {
        let time = asUtc(this.#yaml.string(times.get(key))) ?? asUtc(key)
        if (time === null) continue
        while (Object.hasOwn(byTime, time)) time = nextMicrosecond(time)
        byTime[time] = value(node, `a former value of ${result}`)
      }
      if (Object.keys(byTime).length) found.push([result, byTime])
    }
    return Object.fromEntries(found)
  }

  /**
   * Finds the levels of a namespace (PS-YAML-002).
   * @param {unknown} node
   */
  #find(node) {
    if (this.#yaml.isNull(node)) return
    const namespace = this.#yaml.mapping(node)
    if (!namespace) throw new PipestatError('store', `namespace ${this.namespace} is no mapping`)
    const levels = [...namespace].map(([name, level]) => /** @type {const} */ ([name, this.#level(level)]))
    this.#inLevels =
      levels.length > 0 &&
      levels.every(([name, level]) => (name === 'sample' || name === 'project') && level !== null)
    if (this.#inLevels) {
      Object.assign(this.#levels, Object.fromEntries(levels))
      return
    }
    for (const [record, value] of namespace) {
      if (!this.#yaml.isNull(value) && !this.#yaml.mapping(value)) {
        throw new PipestatError('store', `record ${record} is no mapping`)
      }
    }
    this.#levels.sample = namespace
  }

  /**
   * The records of what may be a level: null, or a mapping of mappings.
   * @param {unknown} node
   * @returns {Mapping | null}
   */
  #level(node) {
    if (this.#yaml.isNull(node)) return new Map()
    const records = this.#yaml.mapping(node)
    return records && [...records.values()].every((record) => this.#yaml.mapping(record)) ? records : null
  }

  /**
   * @param {string} record
   * @param {Level} [level]
   */
  #record(record, level = 'sample') {
    checkIdentifier(record)
    if (!this.#levels[level].has(record)) throw new PipestatError('not-found', `there is no record ${record}`)
    const yaml = this.#yaml
    const entries = yaml.mapping(this.#levels[level].get(record)) ?? new Map()
    const node = entries.get('meta')
    const meta = yaml.isNull(node) ? new Map() : yaml.mapping(node)
    if (!meta) throw new PipestatError('store', `meta of ${record} is no mapping`)
    const results = new Map([...entries].filter(([name]) => !RESERVED.has(name)))
    /** @type {Mapping} */
    let left = new Map()
    if (this.#inLevels && entries.has('meta') && this.#isLeftHistory(results.get('history'))) {
      left = yaml.mapping(results.get('history')) ?? left
      results.delete('history')
    }
    /**
     * @param {unknown} node
     * @param {string} name
     */
    const value = (node, name) => {
      try {
        return yaml.value(node)
      } catch (error) {
        throw new PipestatError('store', `${name} of ${record}: ${/** @type {Error} */ (error).message}`)
      }
    }
    /** @param {string} key */
    const text = (key) => yaml.string(meta.get(key))
    /** @param {string} key */
    const time = (key) => timeThatCounts(text(key), text(`pipestat_${key}_time`))
    const source = yaml.mapping(meta.get('source')) && value(meta.get('source'), 'source')
    return {
      values: Object.fromEntries([...results].map(([name, node]) => [name, value(node, name)])),
      about: {
        ...statusThatCounts(
          meta.has('status'),
          { status: text('status'), status_time: text('status') && asUtc(text('status_time')) },
          this.#flag(record),
        ),
        status_message: text('status_message'),
        source: /** @type {Values | null} */ (source),
        created: time('created'),
        modified: time('modified'),
      },
      meta,
      left,
      value,
    }
  }

  /**
   * Whether a result `history` is what pipestat leaves of removed ones (PS-YAML-015).
   * @param {unknown} node
   */
  #isLeftHistory(node) {
    const results = this.#yaml.mapping(node)
    if (!results?.size) return false
    return [...results.values()].every((entry) => {
      const times = this.#yaml.mapping(entry)
      return times?.size && [...times].every(([key, old]) => isLocal(key) && this.#yaml.string(old) === '')
    })
  }
}

/**
 * That of the record, unless another program set one since by a flag (PS-YAML-038, PS-YAML-042).
 * @param {boolean} known
 * @param {Pick<About, 'status' | 'status_time'>} own
 * @param {Flag | undefined} flag
 */
const statusThatCounts = (known, own, flag) => {
  if (!flag) return own
  const since = flag.time.getTime() > Date.parse(own.status_time ?? '') - 10
  return since || !known
    ? { status: flag.status, status_time: flag.time.toISOString().replace('Z', '000Z') }
    : own
}

/** @param {Uint8Array} bytes */
const decode = (bytes) => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new PipestatError('store', 'the file is not UTF-8')
  }
}
