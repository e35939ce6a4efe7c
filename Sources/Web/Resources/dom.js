// Elements and words. Text from the server goes into text nodes only, never into HTML.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'class') element.className = value;
    else if (name === 'style') for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== 'list' && typeof value !== 'string') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Replaces what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

/** Sets text only when it differs, so that selections and readers are left alone. */
export function say(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

const icons = {
  map: 'M3 6l6-2 6 2 6-2v14l-6 2-6-2-6 2zM9 4v14M15 6v14',
  add: 'M4 4h16v16H4zM12 8.500v7M8.500 12h7',
  jobs: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z',
  cluster: 'M12 7a2.500 2.500 0 100-5 2.500 2.500 0 000 5zM5 21a2.500 2.500 0 100-5 2.500 2.500 0 000 5zM19 21a2.500 2.500 0 100-5 2.500 2.500 0 000 5zM11 7l-5 9M13 7l5 9M7.500 18.500h9',
  share: 'M4 6c0-1.700 3.600-3 8-3s8 1.300 8 3-3.600 3-8 3-8-1.300-8-3zM4 6v12c0 1.700 3.600 3 8 3s8-1.300 8-3V6M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3',
};

export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', icons[name]);
  svg.append(path);
  return svg;
}

// Words and numbers

export const short = (node) => (node ? node.slice(0, 6) : '');

// What people call a node: its name, or the beginning of its id while that is unknown or not its own.
const names = new Map();
export function called(node) {
  const name = names.get(node);
  const isShared = name && [...names].some(([other, same]) => other !== node && same === name);
  return isShared ? `${name} ${short(node)}` : name ?? short(node);
}

export function amount(value, unit) {
  if (!Number.isFinite(value) || value <= 0) return '–';
  const steps = ['', 'k', 'M', 'G', 'T'];
  let step = 0;
  while (value >= 1000 && step < steps.length - 1) { value /= 1000; step += 1; }
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ${steps[step]}${unit}`;
}

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60 ? `${s % 60} s` : ''}`.trim();
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function range(left) {
  if (!left) return '–';
  const [low, high] = left;
  if (high < 1.5) return 'a moment';
  return high < 60 ? `${Math.max(1, Math.round(low))}–${Math.round(high)} s`
    : `${duration(Math.round(low / 5) * 5)} – ${duration(Math.round(high / 5) * 5)}`;
}

export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });

// Nodes have one colour each, the same on every page: by their place among all that were ever seen.
const seen = [];
export function know(nodes) {
  for (const node of nodes) if (node && !seen.includes(node)) { seen.push(node); seen.sort(); }
}
export function learn(members) {
  know(members.map((member) => member.node));
  for (const { node, facts } of members) if (facts?.name) names.set(node, facts.name);
}
export function colour(node) {
  const place = seen.indexOf(node);
  const name = place < 0 ? '--soft' : `--n${place % 10}`;
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
export function nodeName(node) {
  if (!node) return h('span', { class: 'soft' }, 'nobody');
  return h('span', { class: 'node', title: node },
    h('i', { class: 'swatch', style: { background: `var(--n${Math.max(0, seen.indexOf(node)) % 10})` } }),
    h('span', { class: names.has(node) ? 'name' : 'mono' }, called(node)));
}
