// What the page asks of its node. Errors are sentences: RFC 9457 problems carry one in `detail`.

export class Failure extends Error {
  constructor(status, detail) { super(detail); this.status = status; }
}

const listeners = new Set();
let isUp = true;
/** Calls back when the node stops or begins to answer. */
export function onReach(callback) { listeners.add(callback); callback(isUp); }
export function reach(value) {
  if (value === isUp) return;
  isUp = value;
  for (const callback of listeners) callback(isUp);
}

export async function ask(path, options = {}) {
  const headers = { ...(options.headers ?? {}) };
  const token = sessionStorage.getItem('arbutus.token');
  if (token && options.method) headers.Authorization = `Bearer ${token}`;
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, signal: options.signal ?? AbortSignal.timeout(40000) });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    reach(false);
    throw new Failure(0, 'This node does not answer. It may have been stopped, or the network is down.');
  }
  reach(true);
  if (answer.status === 401 && options.method && await askToken()) return ask(path, options);
  const type = answer.headers.get('content-type') ?? '';
  const body = type.includes('json') ? await answer.json() : await answer.text();
  if (!answer.ok) throw new Failure(answer.status, body?.detail ?? `The node answered ${answer.status}.`);
  return body;
}

export const send = (path, body, method = 'POST') =>
  ask(path, { method, body: body === undefined ? undefined : JSON.stringify(body),
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' } });

async function askToken() {
  const { h } = await import('./dom.js');
  return new Promise((done) => {
    const input = h('input', { type: 'password', autocomplete: 'current-password', required: true });
    const dialog = h('dialog', {}, h('form', { method: 'dialog' },
      h('b', {}, 'This node wants its token'),
      h('p', { class: 'small soft' }, 'It stands in the file that web.token_file names. It is kept until this tab is closed.'),
      h('label', {}, 'Token', input),
      h('div', { class: 'row' }, h('button', { class: 'main', value: 'ok' }, 'Go on'),
        h('button', { value: '', formnovalidate: true }, 'Leave it'))));
    document.body.append(dialog);
    dialog.addEventListener('close', () => {
      if (dialog.returnValue === 'ok' && input.value) sessionStorage.setItem('arbutus.token', input.value);
      done(dialog.returnValue === 'ok' && Boolean(input.value));
      dialog.remove();
    });
    dialog.showModal();
  });
}

/** A stream of events that comes back by itself. `close()` ends it. */
export function stream(path, handlers) {
  let source; let last; let timer; let isOpen = true; let tries = 0;
  const open = () => {
    const url = new URL(path, location.href);
    if (last) url.searchParams.set('after', last);
    source = new EventSource(url);
    for (const [name, handle] of Object.entries(handlers)) {
      if (name === 'down') continue;
      source.addEventListener(name, (event) => {
        last = event.lastEventId || last;
        handle(JSON.parse(event.data), event.lastEventId);
      });
    }
    source.onopen = () => { tries = 0; reach(true); };
    source.onerror = () => {
      source.close();
      if (!isOpen) return;
      tries += 1;
      if (tries >= 2) reach(false);
      handlers.down?.();
      timer = setTimeout(open, Math.min(8000, 600 * tries));
    };
  };
  open();
  return { close() { isOpen = false; clearTimeout(timer); source.close(); } };
}

// Members are watched all the time: the other pages need colours, and addresses to go on at.
export const cluster = { node: '', members: [], heard: 0 };
const watchers = new Set();
export function onMembers(callback) {
  watchers.add(callback);
  if (cluster.members.length) callback(cluster);
  return () => watchers.delete(callback);
}
export function watchMembers(learn) {
  const tell = () => { for (const callback of watchers) callback(cluster); };
  stream('/members/events', {
    members(list) {
      Object.assign(cluster, list, { heard: Date.now() });
      learn(list.members);
      const others = list.members.filter((member) => !member.isSelf && member.state === 'alive' && member.facts?.web)
        .map((member) => ({ node: member.node, web: member.facts.web }));
      if (others.length) localStorage.setItem('arbutus.others', JSON.stringify(others));
      tell();
    },
    node() {},
  });
}
