// The frame: pages by the address behind #, the theme, and what to do when this node is gone.
import { h, fill, icon, know, learn, called, nodeName } from './dom.js';
import { cluster, onMembers, onReach, watchMembers } from './api.js';

const pages = {
  map: { title: 'Map', icon: 'map', load: () => import('./page-map.js') },
  new: { title: 'New mosaic', icon: 'add', load: () => import('./page-new.js') },
  jobs: { title: 'Jobs', icon: 'jobs', load: () => import('./page-jobs.js') },
  cluster: { title: 'Cluster', icon: 'cluster', load: () => import('./page-cluster.js') },
  share: { title: 'Data share', icon: 'share', load: () => import('./page-share.js') },
  job: { title: 'Job', load: () => import('./page-job.js'), under: 'jobs' },
};

const main = document.getElementById('page');
const nav = document.getElementById('nav');
let leave = null;
let visit = 0;

for (const [name, page] of Object.entries(pages)) {
  if (page.icon) nav.append(h('a', { href: `#/${name}`, data: { page: name } }, icon(page.icon), page.title));
}

async function show() {
  const number = ++visit;
  const [name, ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  const key = pages[name] ? name : 'map';
  const page = pages[key];
  for (const link of nav.children) {
    if (link.dataset.page === (page.under ?? key)) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  leave?.();
  leave = null;
  main.className = '';
  document.title = `${page.title} · Arbutus`;
  try {
    const module = await page.load();
    if (number !== visit) return;
    fill(main);
    leave = await module.show(main, rest) ?? null;
    if (number !== visit) leave?.();
  } catch (error) {
    fill(main, h('div', { class: 'empty' }, h('b', {}, 'This page could not be shown'), error.message,
      h('p', {}, h('button', { onclick: show }, 'Try again'))));
  }
}
addEventListener('hashchange', () => { show(); main.focus({ preventScroll: true }); });

// Theme: the system's, light, dark.
const theme = document.getElementById('theme');
function label() {
  const now = document.documentElement.dataset.theme;
  theme.textContent = now === 'dark' ? '☾ Dark' : now === 'light' ? '☀ Light' : '◐ Auto';
}
theme.addEventListener('click', () => {
  const order = [undefined, 'light', 'dark'];
  const next = order[(order.indexOf(document.documentElement.dataset.theme) + 1) % 3];
  if (next) { document.documentElement.dataset.theme = next; localStorage.setItem('arbutus.theme', next); }
  else { delete document.documentElement.dataset.theme; localStorage.removeItem('arbutus.theme'); }
  label();
  dispatchEvent(new Event('themechange'));
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => dispatchEvent(new Event('themechange')));
label();

// This node, and the others when it is gone.
const here = document.getElementById('here');
const banner = document.getElementById('banner');
onMembers(({ node, members }) => {
  const alive = members.filter((member) => member.state === 'alive').length;
  fill(here, 'At ', h('b', {}, called(node)), h('br'), `${alive} of ${members.length} nodes alive`);
});
onReach((isUp) => {
  banner.hidden = isUp;
  if (isUp) return;
  const others = JSON.parse(localStorage.getItem('arbutus.others') ?? '[]');
  fill(banner, h('b', {}, 'This node does not answer.'),
    others.length ? 'Its jobs go on elsewhere. Go on at:' : 'It is tried again and again; no other node is known.',
    others.map((other) => h('a', { class: 'button', href: `http://${other.web}/${location.hash}` },
      nodeName(other.node), ' ', other.web)));
});
know([]);
watchMembers(learn);
show();
window.arbutus = { cluster };
