import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Results } from '../src/index.js'

/**
 * The results of the record s1 that this YAML holds.
 * @param {string} yaml
 */
const valuesOf = (yaml) => new Results(`ns:\n  s1:\n${yaml.replace(/^/gm, '    ')}\n`).retrieve('s1')

/**
 * @param {() => unknown} action
 * @param {string} code
 */
const refused = (action, code) => assert.throws(action, { name: 'PipestatError', code })

test('scalars are resolved by the table of the specification', () => {
  const values = valuesOf(
    'a: [no, y, 1e3, 08, 010, 12:30, 0:30, 2024-01-01, ~, -0.0, 1.0, 1, 3000000000]\nn: 1,5\nb: 9007199254740993',
  )
  assert.deepEqual(values, {
    a: [false, 'y', '1e3', '08', 8, 750, '0:30', '2024-01-01', null, -0, 1, 1, 3000000000],
    n: '1,5',
    b: 9007199254740993n,
  })
})

test('quotes, blocks and tags say what a scalar is', () => {
  assert.deepEqual(valuesOf('a: "12"\nb: |-\n  12\nc: ! 12\nd: !!float 1e3\ne: !!str\nf: !!int "7"'), {
    a: '12', b: '12', c: '12', d: 1000, e: '', f: 7,
  })
})

test('keys are text', () => {
  assert.deepEqual(Object.keys(valuesOf('no: 1\n~: 2\n1.50: 3\n__proto__: 4')), ['no', '~', '1.50', '__proto__'])
})

test('what is written out wins over what is merged, and the first merged over the others', () => {
  const text = '_o: &o {a: 1, b: 1}\n_t: &t {b: 2, c: 2}\nns: {s1: {<<: [*o, *t], a: 5}}'
  assert.deepEqual(new Results(text).retrieve('s1'), { a: 5, b: 1, c: 2 })
})

test('both layouts are read', () => {
  const records = new Results('ns:\n  b: {n: 1}\n  𝒜: {}\n  ﬀ:\n')
  assert.deepEqual(records.records(), ['b', 'ﬀ', '𝒜'])
  const levels = new Results('ns:\n  project: {p: {n: 2}}\n  sample:\n')
  assert.deepEqual([levels.records(), levels.records('project')], [[], ['p']])
  assert.deepEqual(levels.retrieve('p', { level: 'project' }), { n: 2 })
})

test('a value outside the data model refuses its record alone', () => {
  const results = new Results('ns:\n  bad: {rate: .nan, reads: 5}\n  good: {reads: 7}')
  refused(() => results.retrieve('bad', { names: ['reads'] }), 'store')
  assert.deepEqual(results.retrieve('good'), { reads: 7 })
})

const DOUBLED = Array.from({ length: 40 }, (_, i) => `_${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)

for (const [name, text] of Object.entries({
  'a key twice': 'ns: {s1: {a: 1, a: 2}}',
  'two documents': 'ns: {}\n---\nns: {}',
  'an unknown tag': 'ns: {s1: {a: !!set {b}}}',
  'a tag that does not fit': 'ns: {s1: {a: !!int 5.5}}',
  'a key that is no scalar': 'ns: {s1: {[a]: 1}}',
  'an unknown alias': 'ns: {s1: {a: *x}}',
  'an alias within its node': 'ns: {s1: &x {a: *x}}',
  'aliases without end': `ns: {}\n_0: &a0 [x, x]\n${DOUBLED.join('\n')}`,
  'too deep': `ns: {s1: {a: ${'['.repeat(130)}${']'.repeat(130)}}}`,
  'too deep by an alias': `ns: {}\n_0: &a ${'['.repeat(60)}${']'.repeat(60)}\n_1: ${'['.repeat(60)}*a${']'.repeat(60)}`,
  'far too deep': `ns: {s1: {a: ${'['.repeat(50000)}`,
  'a record that is no mapping': 'ns: {s1: 5}',
  'a top that is no mapping': '[ns]',
})) {
  test(`refused: ${name}`, () => refused(() => new Results(text).retrieve('s1'), 'store'))
}

test('a file of a depth of 120 is read', () => {
  const text = `ns: {}\n_0: ${'['.repeat(119)}1${']'.repeat(119)}`
  assert.deepEqual(new Results(text, { namespace: 'ns' }).records(), [])
})

test('not UTF-8 is refused', () => refused(() => new Results(Uint8Array.of(0x61, 0xff)), 'store'))

test('other namespaces', () => {
  refused(() => new Results('other: {}', { namespace: 'ns' }), 'layout')
  refused(() => new Results('one: {}\ntwo: {}'), 'layout')
  assert.deepEqual(new Results('_x: 1\nother: {}', { namespace: 'ns', multiPipelines: true }).records(), [])
  assert.deepEqual(new Results('').records(), [])
})

test('status, source and times', () => {
  const results = new Results(
    'ns:\n  s1:\n    meta: {status: failed, status_time: "2026-01-31T12:01:00.000000Z", status_message: disk full, source: {attempt: 2}, created: "2026-01-31T12:00:00.123456Z"}',
  )
  assert.deepEqual(results.describe('s1'), {
    status: 'failed', status_time: '2026-01-31T12:01:00.000000Z', status_message: 'disk full', source: { attempt: 2 },
    created: '2026-01-31T12:00:00.123456Z', modified: null,
  })
  assert.equal(results.status('unknown'), null)
  assert.deepEqual(results.retrieve('s1'), {})
  refused(() => results.retrieve('unknown'), 'not-found')
  refused(() => results.retrieve('s1', { names: ['n'] }), 'not-found')
  refused(() => results.retrieve(''), 'validation')
})

test('history: precise times beside local ones, and what pipestat leaves', () => {
  const results = new Results(`ns:
  sample:
    s1:
      history: {gone: {"2026-01-31 13:05:12": ""}}
      meta:
        history:
          reads: {"2026-01-31 13:05:10": 1100, "2026-01-31T12:05:10.000001Z": 1150, later: 5}
        history_times:
          reads: {"2026-01-31 13:05:10": "2026-01-31T12:05:10.000001Z"}`)
  const history = results.history('s1')
  assert.deepEqual(history.reads, { '2026-01-31T12:05:10.000001Z': 1100, '2026-01-31T12:05:10.000002Z': 1150 })
  assert.deepEqual(Object.values(history.gone ?? {}), [''])
  assert.deepEqual(results.retrieve('s1'), {})
})
