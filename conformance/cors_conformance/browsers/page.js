// The page that fetches: it asks for work, does it and posts what came of it, until there is none.
'use strict';

const TIMEOUT = 20000;

async function one(step) {
  return step.xhr ? upload(step) : plain(step);
}

async function plain(step) {
  let request;
  const aborter = new AbortController();
  try {
    request = new Request(step.url, {...step.init, signal: aborter.signal});
  } catch (error) {
    return {result: 'type_error', message: String(error)};
  }
  let timedOut = false;
  const timer = setTimeout(() => { timedOut = true; aborter.abort(); }, TIMEOUT);
  try {
    const response = await fetch(request);
    const headers = [...response.headers];
    let body = null;
    try {
      body = await response.text();
    } catch (error) { /* stays null */ }
    return {result: 'success', type: response.type, status: response.status, headers, body};
  } catch (error) {
    return {result: timedOut ? 'timeout' : 'network_error', message: String(error)};
  } finally {
    clearTimeout(timer);
  }
}

// XMLHttpRequest with a listener on its upload: fetch() has nothing like it.
function upload(step) {
  const xhr = new XMLHttpRequest();
  try {
    xhr.open(step.init.method, step.url);
    xhr.withCredentials = step.init.credentials === 'include';
    for (const [name, value] of step.init.headers) xhr.setRequestHeader(name, value);
  } catch (error) {
    return {result: 'type_error', message: String(error)};
  }
  xhr.timeout = TIMEOUT;
  xhr.upload.addEventListener('progress', () => {});
  return new Promise(resolve => {
    xhr.onerror = () => resolve({result: 'network_error'});
    xhr.onabort = xhr.onerror;
    xhr.ontimeout = () => resolve({result: 'timeout'});
    xhr.onload = () => {
      const headers = xhr.getAllResponseHeaders().split('\r\n').filter(Boolean).map(line => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 2)];
      });
      resolve({result: 'success', type: null, status: xhr.status, headers, body: xhr.responseText});
    };
    xhr.send(step.init.body === undefined ? null : step.init.body);
  });
}

async function all(item, base) {
  const results = [];
  for (const [index, step] of item.steps.entries()) {
    if (step.wait) await new Promise(resolve => setTimeout(resolve, step.wait * 1000));
    // Which fetch a request belongs to cannot be told from its URL where several share one.
    if (index) await fetch(`${base}/mark/${item.number}/${index}`, {method: 'POST', mode: 'no-cors', cache: 'no-store'});
    results.push(await one(step));
  }
  return results;
}

// A sandboxed frame has an opaque origin, which serializes to `null`.
let frame = null;
const waiting = new Map();

function sandbox() {
  frame = frame || new Promise(resolve => {
    const element = document.createElement('iframe');
    element.sandbox = 'allow-scripts';
    element.srcdoc = `<!doctype html><script src="${location.origin}/page.js"></` +
      `script><script>serve(${JSON.stringify(location.origin)});</` + 'script>';
    addEventListener('message', event => {
      if (event.data === 'ready') return resolve(element.contentWindow);
      const [number, results] = event.data;
      waiting.get(number)(results);
      waiting.delete(number);
    });
    document.body.append(element);
  });
  return frame;
}

function serve(base) {
  addEventListener('message', async event => {
    const item = event.data;
    parent.postMessage([item.number, await all(item, base)], '*');
  });
  parent.postMessage('ready', '*');
}

async function inSandbox(item) {
  const target = await sandbox();
  return new Promise(resolve => {
    waiting.set(item.number, resolve);
    target.postMessage(item, '*');
  });
}

async function batch(work) {
  const results = {};
  const items = work.items.values();
  const worker = async () => {
    for (const item of items) {
      results[item.number] = item.sandboxed ? await inSandbox(item) : await all(item, location.origin);
    }
  };
  await Promise.all(Array.from({length: work.parallel}, worker));
  return results;
}

async function poll() {
  for (;;) {
    let work;
    try {
      work = await (await fetch('/work', {cache: 'no-store'})).json();
    } catch (error) {
      await new Promise(resolve => setTimeout(resolve, 100));
      continue;
    }
    const results = await batch(work);
    await fetch('/results', {method: 'POST', body: JSON.stringify({turn: work.turn, results})});
  }
}
