// Microsoft's KQL parser and binder behind JSON lines on standard input and output.
//
//   first line in   {"<table>": {"<column>": "<type>", ...}, ...}
//   then per line   {"query": "..."}
//   answer          {"diagnostics": [{"code", "severity", "message", "start", "length"}], "columns": [[name, type], ...]}

const fs = require("fs");
const path = require("path");
const readline = require("readline");
const vm = require("vm");

const folder = path.join(__dirname, "node_modules", "@kusto", "language-service-next");
for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(folder, file), "utf8"), { filename: file });
}

const { Language } = globalThis.Kusto;
const cancellation = new Language.Utils.CancellationToken();

function items(list) {
  return list ? Array.from({ length: list.Count }, (_, index) => list.getItem(index)) : [];
}

function globalsFor(schema) {
  const tables = Object.entries(schema).map(([name, columns]) => {
    const declared = Object.entries(columns).map(([column, type]) => `['${column}']:${type}`);
    return Language.Symbols.TableSymbol.From(`(${declared.join(", ")})`).WithName(name);
  });
  const database = new Language.Symbols.DatabaseSymbol.$ctor1("insights", tables);
  return Language.GlobalState.Default.WithDatabase(database);
}

function check(query, globals) {
  const code = Language.KustoCode.ParseAndAnalyze(query, globals, cancellation);
  const diagnostics = items(code.GetDiagnostics(cancellation)).map((found) => ({
    code: found.Code,
    severity: found.Severity,
    message: found.Message,
    start: found.Start,
    length: found.Length,
  }));
  const columns = items(code.ResultType && code.ResultType.Columns).map((column) => [column.Name, column.Type.Name]);
  return { diagnostics, columns };
}

let globals = null;
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  let answer;
  try {
    const message = JSON.parse(line);
    if (globals === null) {
      globals = globalsFor(message);
      answer = { ready: true };
    } else {
      answer = check(message.query, globals);
    }
  } catch (error) {
    answer = { failure: String((error && error.stack) || error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
