import { h, fill, amount, duration, nodeName, called } from './dom.js';
import { onMembers, send } from './api.js';

const order = { suspect: 0, dead: 1, alive: 2, left: 3 };

export function show(main) {
  const warning = h('div', { class: 'banner warn', role: 'alert', hidden: true });
  const body = h('tbody', {});
  const matrix = h('div', { class: 'scroll' });
  const status = h('p', { class: 'soft small', role: 'status' });
  main.append(
    h('div', { class: 'head' }, h('h1', { class: 'grow' }, 'Cluster'), status), warning,
    h('section', { class: 'panel scroll', style: { padding: '4px 6px' } }, h('table', { class: 'cards' },
      h('thead', {}, h('tr', {}, ['Node', 'State and why'].map((name) => h('th', {}, name)),
        ['Round trip', 'Load', 'Memory', 'Work', 'Stolen', 'Epoch', ''].map((name) => h('th', { class: 'n' }, name)))), body)),
    h('div', { class: 'two' }, h('section', { class: 'panel' }, h('h2', {}, 'Who stole from whom'), matrix)));
  let rows = new Map();

  const forget = onMembers(({ node, members }) => {
    const sorted = [...members].sort((a, b) => order[a.state] - order[b.state] || a.node.localeCompare(b.node));
    const steals = new Map();
    for (const member of members) for (const item of member.facts?.steals ?? []) {
      const key = `${item.victim} ${item.thief}`;
      steals.set(key, Math.max(steals.get(key) ?? 0, item.count));
    }
    const sum = (node, place) => [...steals].reduce((all, [key, count]) => all + (key.split(' ')[place] === node ? count : 0), 0);
    const present = members.filter((member) => member.state !== 'left');
    const gone = present.filter((member) => member.state === 'dead' || member.state === 'suspect');
    const alive = present.length - gone.length;
    status.textContent = `${alive} alive${gone.length ? `, ${gone.length} not` : ''}, as ${called(node)} sees it`;
    warning.hidden = !(present.length >= 3 && gone.length * 2 >= present.length && gone.some((member) => member.since < 300));
    fill(warning, h('b', {}, 'A partition is likely.'), `This node reaches ${alive} of ${present.length} nodes. Those beyond the cut may be well and see it the other way round; ` +
      'each side goes on with its jobs, and they agree again when the network heals. Look at another node’s page before you restart anything.');
    const next = new Map();
    for (const member of sorted) next.set(member.node, row(member, sum));
    fill(body, [...next.values()]);
    rows = next;
    drawMatrix(members, steals);
  });

  function row(member, sum) {
    const facts = member.state === 'alive' ? member.facts : undefined;
    const share = facts ? facts.memory / facts.memoryLimit : 0;
    const old = rows.get(member.node);
    const line = h('tr', { class: member.state, data: { node: member.node, state: member.state } },
      h('td', {}, nodeName(member.node), member.isSelf && h('span', { class: 'soft small' }, ' this one'),
        h('div', { class: 'small soft mono' }, member.node, h('br'), member.address), facts?.web && !member.isSelf
          && h('a', { class: 'small', href: `http://${facts.web}/#/cluster` }, 'its page')),
      h('td', { class: 'wide' }, h('span', { class: `chip ${member.state}` }, member.state), ' ',
        !member.isSelf && h('span', { class: 'small soft num' }, `for ${duration(member.since)}`),
        h('div', { class: 'small soft' }, member.hasRoom === false ? 'its disk is full: it takes no new work' : member.why),
        slow(member) && h('div', { class: 'small error' }, slow(member))),
      h('td', { class: 'n', data: { label: 'Round trip' } }, member.isSelf || member.state !== 'alive' || member.roundTrip === undefined ? '–' : `${(member.roundTrip * 1000).toFixed(1)} ms`),
      h('td', { class: 'n', data: { label: 'Load' } }, facts ? `${facts.load.toFixed(2)} / ${facts.cores}` : '–', facts && meter(facts.load / facts.cores)),
      h('td', { class: 'n', data: { label: 'Memory' } }, facts ? `${amount(facts.memory, 'B')} / ${amount(facts.memoryLimit, 'B')}` : '–', facts && meter(share)),
      h('td', { class: 'n', data: { label: 'Work' } }, facts ? [`${facts.running} of ${facts.slots} slots`, h('div', { class: 'small soft' }, `${facts.queued} queued, leads ${facts.coordinates}`)] : '–'),
      h('td', { class: 'n', data: { label: 'Stolen' } }, `${sum(member.node, 1)} in`, h('div', {}, `${sum(member.node, 0)} out`)),
      h('td', { class: 'n', data: { label: 'Epoch' } }, `${member.epoch}.${member.incarnation}`,
        facts && h('div', { class: 'small soft' }, `version ${facts.version}`)),
      h('td', { class: 'n wide' }, member.state === 'alive' && drain(member, old)));
    return line;
  }

  function drain(member, old) {
    const kept = old?.querySelector('button');
    if (kept?.dataset.busy) return kept;
    const button = h('button', { class: 'quiet', title: 'It finishes what runs, hands over the rest and leaves' }, 'Drain');
    button.addEventListener('click', async () => {
      if (!confirm(`Drain node ${called(member.node)}? It finishes what runs, hands over the rest and leaves the cluster.`)) return;
      button.dataset.busy = '1'; button.disabled = true;
      try { await send(`/members/${member.node}/drain`); button.textContent = 'Draining…'; } catch (error) {
        button.disabled = false; delete button.dataset.busy; button.title = error.message; alert(error.message);
      }
    });
    return button;
  }

  function drawMatrix(members, steals) {
    const nodes = members.filter((member) => member.state === 'alive' || [...steals.keys()].some((key) => key.includes(member.node))).map((member) => member.node).sort();
    if (!steals.size) return fill(matrix, h('p', { class: 'soft small' }, 'Nobody has stolen yet. Idle nodes take work from busy ones while a job runs; it is counted here.'));
    const most = Math.max(...steals.values());
    return fill(matrix, h('table', { class: 'matrix' }, h('thead', {}, h('tr', {}, h('th', {}, 'Thief ↓  victim →'), nodes.map((node) => h('th', {}, nodeName(node))))),
      h('tbody', {}, nodes.map((thief) => h('tr', {}, h('th', { scope: 'row' }, nodeName(thief)), nodes.map((victim) => {
        const count = steals.get(`${victim} ${thief}`) ?? 0;
        return h('td', { class: count ? 'num' : 'zero', style: count ? { background: `color-mix(in srgb, var(--accent) ${Math.round(8 + 42 * count / most)}%, transparent)` } : {} },
          thief === victim ? '–' : String(count));
      }))))));
  }
  return forget;
}

function slow(member) {
  const facts = member.facts;
  if (member.state !== 'alive' || !facts) return '';
  if (member.roundTrip > 0.5) return `slow: it takes ${(member.roundTrip * 1000).toFixed(0)} ms to answer`;
  if (facts.memory > 0.95 * facts.memoryLimit) return 'its memory is nearly used up';
  return '';
}
const meter = (share) => h('div', { class: `meter ${share > 0.9 ? 'high' : ''}` }, h('i', { style: { width: `${Math.min(100, share * 100)}%` } }));
