// Offers the package to the conformance tests: one JSON object per line on stdin and stdout.
//
//     pipestat-spec conformance run --exec 'node harness.js'

import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { toJson } from './src/emit.js'
import { PipestatError, readResults, reportDocument } from './src/node.js'

/** @typedef {Record<string, any>} Json */

const PACKAGE = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf-8'))
const HELLO = {
  impl: { name: PACKAGE.name, version: PACKAGE.version, language: 'JavaScript' },
  protocol: 1,
  spec: '1.0',
  capabilities: [
    ...['status', 'status-times', 'times', 'history', 'source'],
    ...['project-level', 'multi-namespace', 'exact-integers'],
  ],
  profiles: ['reader', 'emitter'],
}

class Unsupported extends Error {}

/** @type {() => Promise<import('./src/results.js').Results>} */
let read
let project = 'project'

/** @param {Json} request */
const open = async ({ store, schema, settings }) => {
  if (store.path.includes('{record_identifier}')) throw new Unsupported()
  project = settings.project_name ?? 'project'
  const namespace = settings.namespace ?? schema?.pipeline_name ?? schema?.properties?.pipeline_name
  const statuses = settings.status_schema ?? schema?.status
  const options = {
    namespace,
    multiPipelines: settings.multi_pipelines,
    flagFolder: settings.flag_file_dir,
    statuses: statuses && Object.keys(statuses),
  }
  // Each operation reads anew, so that it sees what was written meanwhile.
  read = () => readResults(store.path, options)
  await read()
}

/** @type {Record<string, (args: Json) => unknown>} */
const OPERATIONS = {
  records: async ({ level }) => (await read()).records(level),
  count: async ({ level }) => (await read()).records(level).length,
  retrieve: async ({ record, level, results }) => (await read()).retrieve(record, { level, names: results }),
  value: async ({ record, level, result }) =>
    (await read()).retrieve(record, { level, names: [result] })[result],
  describe: async ({ record, level }) => (await read()).describe(record, { level }),
  get_status: async ({ record, level }) => (await read()).status(record, { level }),
  history: async ({ record, level, result }) => {
    const found = (await read()).history(record, { level })
    return result === undefined ? found : { [result]: found[result] ?? {} }
  },
  emit: ({ values, status_message: statusMessage, time, ...others }) => {
    const report = { results: values, statusMessage, time: time && new Date(time), ...others }
    return reportDocument(/** @type {import('./src/emit.js').Report} */ (report))
  },
}

/** @param {Json} request */
const answer = async (request) => {
  if (request.cmd === 'hello') return HELLO
  if (request.cmd === 'open') return { ok: true, result: (await open(request)) ?? null }
  const operation = OPERATIONS[request.op]
  if (!operation) throw new Unsupported()
  return { ok: true, result: (await operation({ record: project, ...request.args })) ?? null }
}

/**
 * What the protocol says by objects of one key.
 * @type {Record<string, (said: any) => unknown>}
 */
const SAID = {
  $digits: BigInt,
  $nan: () => NaN,
  $inf: (sign) => sign * Infinity,
  $surrogate: (code) => String.fromCharCode(parseInt(code, 16)),
}

/**
 * JSON with integers beyond the safe ones as BigInt.
 * @param {string} line
 */
const parse = (line) =>
  JSON.parse(
    line.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (found) =>
      found.startsWith('"') ? found : `{"$digits": "${found}"}`,
    ),
    (_, value) => {
      const [key = '', ...more] = Object.keys(value ?? {})
      return more.length || !Object.hasOwn(SAID, key) ? value : SAID[key]?.(value[key])
    },
  )

for await (const line of createInterface({ input: process.stdin })) {
  const request = parse(line)
  if (request.cmd === 'bye') break
  /** @type {Json} */
  let reply
  try {
    reply = await answer(request)
  } catch (error) {
    if (error instanceof Unsupported) reply = { unsupported: true }
    else if (error instanceof PipestatError) reply = { error: { code: error.code, message: error.message } }
    else throw error
  }
  process.stdout.write(`${toJson({ seq: request.seq, ...reply }, 'answer', 110)}\n`)
}
