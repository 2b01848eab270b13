// Lines of JSON strings on standard input; per line the number of syntax errors that Microsoft's parser finds.
// KUSTO_LANGUAGE names the folder of the npm package @kusto/language-service-next.
'use strict';
const path = require('path'), fs = require('fs');
const folder = path.resolve(process.env.KUSTO_LANGUAGE);
require(path.join(folder, 'bridge.min.js'));
require(path.join(folder, 'Kusto.Language.Bridge.min.js'));
for (const line of fs.readFileSync(0, 'utf8').split('\n')) {
  if (!line) continue;
  const found = Kusto.Language.KustoCode.Parse(JSON.parse(line)).GetSyntaxDiagnostics();
  let errors = 0;
  for (let i = 0; i < found.Count; i++) {
    const severity = found.getItem(i).Severity;
    if (!severity || severity === 'Error') errors++;
  }
  process.stdout.write(errors + '\n');
}
