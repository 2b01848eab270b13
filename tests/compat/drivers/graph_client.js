// Run by node in a folder that has @microsoft/microsoft-graph-client: pages, a batch, a change, a retry and an error.
// `node graph_client.js BASE_URL TENANT CLIENT_ID CLIENT_SECRET WHAT` prints one JSON object.
const {createRequire} = require('node:module');
const {BatchRequestContent, BatchResponseContent, Client, PageIterator} =
  createRequire(process.cwd() + '/')('@microsoft/microsoft-graph-client');
const [base, tenant, clientId, clientSecret, what] = process.argv.slice(2);

async function getAccessToken() {
  const body = new URLSearchParams({
    grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret,
    scope: 'https://graph.microsoft.com/.default',
  });
  return (await (await fetch(`${base}/${tenant}/oauth2/v2.0/token`, {method: 'POST', body})).json()).access_token;
}

const client = Client.initWithMiddleware({
  authProvider: {getAccessToken}, baseUrl: `${base}/`, customHosts: new Set([new URL(base).hostname]),
});

const PARTS = {
  async pages() {
    const first = await client.api('/security/alerts_v2').top(2).count(true).get();
    const seen = [];
    const iterator = new PageIterator(client, first, alert => Boolean(seen.push(alert.id)));
    await iterator.iterate();
    return {seen, count: first['@odata.count']};
  },
  async batch() {
    const content = new BatchRequestContent([
      {id: '1', request: new Request('https://graph.microsoft.com/security/incidents?$top=1')},
      {id: '2', request: new Request('https://graph.microsoft.com/security/incidents/999999')},
    ]);
    const answers = new BatchResponseContent(await client.api('/$batch').post(await content.getContent()));
    const incident = (await answers.getResponseById('1').json()).value[0];
    return {incident: incident.id, missing: answers.getResponseById('2').status};
  },
  async change() {
    const {id} = (await client.api('/security/incidents').top(1).get()).value[0];
    const changed = await client.api(`/security/incidents/${id}`).patch({customTags: ['from node']});
    const comments = await client.api(`/security/incidents/${id}/comments`)
      .post({'@odata.type': 'microsoft.graph.security.alertComment', comment: 'seen'});
    const rows = await client.api('/security/runHuntingQuery').post({Query: 'DeviceProcessEvents | count'});
    return {tags: changed.customTags, comments: comments.value.map(each => each.comment), rows: rows.results};
  },
  async retry() {
    const started = Date.now();
    const found = await client.api('/security/incidents').top(1).get();
    return {found: found.value.length, waited: (Date.now() - started) / 1000};
  },
  async error() {
    try {
      await client.api('/security/incidents/999999').get();
      return {};
    } catch (error) {
      return {status: error.statusCode, code: error.code, message: error.message, request: error.requestId};
    }
  },
};

PARTS[what]().then(answer => console.log(JSON.stringify(answer)));
