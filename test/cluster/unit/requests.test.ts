import { expect, test } from 'vitest';
import { parseRequestCounts } from '../requests.ts';

test('requests are counted by verb, resource and subresource, over all codes and groups', () => {
  const metrics = `# HELP apiserver_request_total Counter of apiserver requests
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",resource="secrets",scope="resource",subresource="",verb="PUT"} 3
apiserver_request_total{code="409",component="apiserver",resource="secrets",scope="resource",subresource="",verb="PUT"} 1
apiserver_request_total{code="200",group="apps",resource="deployments",subresource="status",verb="APPLY",version="v1"} 2e+06
apiserver_request_terminations_total{code="504",resource="secrets",verb="PUT"} 9
`;
  expect(parseRequestCounts(metrics)).toEqual({ 'PUT secrets': 4, 'APPLY deployments/status': 2_000_000 });
});
