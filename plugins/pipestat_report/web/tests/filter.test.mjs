// The filter against cases that pytest writes: which records match, or where the text is wrong.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { parseFilter } from "../src/filter/parse.ts";
import { compileFilter } from "../src/filter/evaluate.ts";
import { FilterError, formatFilter } from "../src/filter/syntax.ts";
import { Table } from "../src/model/table.ts";

const groups = JSON.parse(readFileSync(process.env.REPORT_CASES, "utf8"));

function matching(table, filter) {
  const holds = compileFilter(filter, table.reader);
  return table.ids.filter((_, row) => holds(row));
}

for (const { name, table: data, cases } of groups) {
  test(name, () => {
    const table = new Table(data);
    for (const { where, ids, column } of cases) {
      let filter;
      try {
        filter = parseFilter(where);
      } catch (error) {
        assert.ok(error instanceof FilterError, `${where}: ${error}`);
        assert.equal(ids, null, `${where}: refused in column ${error.column}`);
        if (column !== null) assert.equal(error.column, column, where);
        continue;
      }
      assert.notEqual(ids, null, `${where}: not refused`);
      assert.deepEqual(matching(table, filter), ids, where);
      // What the page shows as the filter's text means the same.
      const again = parseFilter(formatFilter(filter));
      assert.deepEqual(matching(table, again), ids, formatFilter(filter));
    }
  });
}
