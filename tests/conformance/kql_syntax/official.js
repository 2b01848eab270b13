// Lines of JSON strings on standard input; per line the number of syntax errors that Microsoft's parser finds.
// With the argument `names`: nothing is read, and the names of its functions, aggregates and plugins are written as JSON.
// KUSTO_LANGUAGE names the folder of the npm package @kusto/language-service-next.
'use strict';
const path = require('path'), fs = require('fs');
const folder = path.resolve(process.env.KUSTO_LANGUAGE);
require(path.join(folder, 'bridge.min.js'));
require(path.join(folder, 'Kusto.Language.Bridge.min.js'));
const items = list => Array.isArray(list) ? list : Array.from({ length: list.Count }, (_, i) => list.getItem(i));
if (process.argv[2] === 'names') {
  const { Functions, Aggregates, PlugIns } = Kusto.Language;
  const named = list => items(list).map(each => each.Name);
  const names = { functions: named(Functions.All), aggregates: named(Aggregates.All), plugins: named(PlugIns.All) };
  process.stdout.write(JSON.stringify(names));
  process.exit();
}
for (const line of fs.readFileSync(0, 'utf8').split('\n')) {
  if (!line) continue;
  const found = items(Kusto.Language.KustoCode.Parse(JSON.parse(line)).GetSyntaxDiagnostics());
  const errors = found.filter(each => !each.Severity || each.Severity === 'Error');
  process.stdout.write(errors.length + '\n');
}
