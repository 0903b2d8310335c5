import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { emit, readResults, reportDocument } from '../src/node.js'

/**
 * The JSON text of one value in a document.
 * @param {unknown} value
 */
const written = (value) => reportDocument({ record: 's1', results: { v: value } }).split('"v": ')[1]?.slice(0, -2)

for (const [value, json] of /** @type {[unknown, string][]} */ ([
  [null, 'null'],
  [true, 'true'],
  [12, '12'],
  [-0, '-0.0'],
  [0.1, '0.1'],
  [1e21, '1e+21'],
  [2 ** 53, '9.007199254740992e+15'],
  [2n ** 63n - 1n, '9223372036854775807'],
  ['é"\n', '"é\\"\\n"'],
  [new Float64Array([1.5, 2]), '[1.5, 2]'],
  [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  [{ a: undefined, b: [] }, '{"b": []}'],
])) {
  test(`written: ${json}`, () => assert.equal(written(value), json))
}

for (const value of [NaN, Infinity, 2n ** 63n, '\0', '\ud800', new Map(), new Set(), () => 1, Symbol('s'), new Uint8Array(1), /x/, new Date(NaN), [undefined]]) {
  test(`refused: ${typeof value} ${JSON.stringify(String(value))}`, () =>
    assert.throws(() => written(value), { code: 'validation' }))
}

test('a depth of 100 is written, 101 refused', () => {
  /** @type {(levels: number) => unknown} */
  const deep = (depth) => (depth ? [deep(depth - 1)] : 1)
  assert.equal(written(deep(100))?.length, 201)
  assert.throws(() => written(deep(101)), { code: 'validation' })
})

for (const report of [
  { record: 's1' },
  { record: '', status: 'running' },
  { record: 's1', status: 'running\n' },
  { record: 's1', results: { id: 1 } },
  { record: 's1', results: {}, statusMessage: 'alone' },
  { record: 's1', results: {}, source: { attempt: 0 } },
]) {
  test(`refused: ${JSON.stringify(report)}`, () =>
    assert.throws(() => reportDocument(report), { name: 'PipestatError' }))
}

test('a document is written to a file, which then is all there is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pipestat-'))
  const file = join(folder, 's1.pipestat.json')
  await emit(file, { record: 's1', results: { reads: 1200 }, status: 'completed', time: new Date(0) })
  assert.deepEqual(JSON.parse(await readFile(file, 'utf-8')), {
    pipestat_report: '1.0', record_identifier: 's1', results: { reads: 1200 }, status: 'completed',
    time: '1970-01-01T00:00:00.000Z',
  })
  assert.deepEqual(await readdir(folder), ['s1.pipestat.json'])
  await assert.rejects(emit(join(folder, 's1.json'), { record: 's1', status: 'running' }), { code: 'validation' })
})

test('a flag that another program made since is the status', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pipestat-'))
  const file = join(folder, 'results.yaml')
  await writeFile(
    file,
    'ns:\n  a/b: {meta: {status: running, status_time: "2026-01-31T12:00:00.000000Z"}}\n  s1: {n: 1}\n',
  )
  /** @type {(name: string, time: string) => Promise<void>} */
  const flag = async (name, time) => {
    await writeFile(join(folder, name), '')
    await utimes(join(folder, name), new Date(time), new Date(time))
  }
  /** @type {(record: string) => Promise<string | null>} */
  const status = async (record) => (await readResults(file)).status(record)
  await flag('ns_a%2Fb_failed.flag', '2026-01-31T11:59:00Z')
  assert.equal(await status('a/b'), 'running')
  await flag('ns_a%2Fb_completed.flag', '2026-01-31T12:01:00Z')
  assert.equal(await status('a/b'), 'completed')
  assert.equal(await status('s1'), null)
  await flag('ns_s1_waiting.flag', '2026-01-31T12:01:00Z')
  await flag('ns_s2_waiting.flag', '2026-01-31T12:01:00Z')
  await flag(`ns_${'a'.repeat(183)}~b0f3323e7a3cad8a_failed.flag`, '2026-01-31T12:01:00Z')
  await symlink(file, join(folder, 'ns_s3_waiting.flag'))
  assert.deepEqual(await Promise.all(['s1', 's2', 's3', 'a'.repeat(255)].map(status)), ['waiting', 'waiting', null, 'failed'])
})

test('a file that is not there has no records', async () => {
  assert.deepEqual((await readResults(join(tmpdir(), 'no-such-results.yaml'))).records(), [])
})
