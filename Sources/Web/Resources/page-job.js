// A job: who computes what, where, how fast, and what happened.
import { h, fill, say, amount, range, clock, duration, know, nodeName, short } from './dom.js';
import { ask, send, stream, reach } from './api.js';
import { makeMap, Mosaic, boundsOf } from './basemap.js';
import { TaskGrid } from './taskgrid.js';
import { legend, showPoint } from './point.js';
import { chip } from './page-jobs.js';

const phases = {
  accepted: 'taken, on its way to a second disk', planning: 'looking at the scenes', running: 'computing', waitingForRoom: 'waits for room on a disk',
  waitingForInput: 'waits for a scene that cannot be read', waitingForEngine: 'waits for a node with its engine', assembling: 'putting the mosaic together', ended: 'ended',
  waitingForPlan: 'waits for a node that has its plan',
};

export async function show(main, [job]) {
  const title = h('h1', {}, '…'); const state = h('span', {}); const about = h('p', { class: 'soft small' });
  const actions = h('div', { class: 'row' });
  const bar = h('div', { class: 'bar', role: 'progressbar', 'aria-label': 'Tasks done', 'aria-valuemin': '0', 'aria-valuemax': '100' });
  const figure = (name) => { const value = h('dd', {}, '–'); return [value, h('div', {}, h('dt', {}, name), value)]; };
  const [pixels, pixelsBox] = figure('Pixels'); const [bytes, bytesBox] = figure('Read'); const [done, doneBox] = figure('Done'); const [running, runningBox] = figure('Running');
  const [queued, queuedBox] = figure('To do'); const [left, leftBox] = figure('Left');
  const element = h('div', { class: 'map', role: 'application', 'aria-label': 'Tasks on the map' });
  const nodes = h('ul', { class: 'stack', style: { gap: '6px' } }); const slow = h('ol', { class: 'small' }); const log = h('ol', { class: 'log', tabindex: '0', 'aria-label': 'What happened' });
  const key = h('div', {}); const doubt = h('p', { class: 'small soft', role: 'status' });
  const showTasks = h('input', { type: 'checkbox', checked: true, onchange: () => { if (grid) { grid.isShown = showTasks.checked; grid.draw(); } } });
  const opacity = h('input', { type: 'range', min: '0', max: '1', step: '0.05', value: '1', 'aria-label': 'Opacity of the mosaic', oninput: () => mosaic?.setOpacity(Number(opacity.value)) });
  main.append(
    h('div', { class: 'head' }, h('div', { class: 'grow' }, title, about), state, actions),
    h('div', { class: 'stack' }, bar, h('dl', { class: 'figures' }, pixelsBox, bytesBox, doneBox, runningBox, queuedBox, leftBox),
      h('div', { class: 'job' },
        h('div', {}, element, h('div', { class: 'mapkey' },
          [['done', 'done'], ['running', 'running'], ['queued', 'queued'], ['stolen', 'stolen'], ['failed', 'failed']].map(([name, text]) => h('span', {}, h('i', { class: name }), text)),
          h('label', { class: 'check small' }, showTasks, 'Tasks'), h('label', { class: 'opacity' }, 'Mosaic', opacity)), doubt),
        h('div', { class: 'side' },
          h('section', { class: 'panel' }, h('h2', {}, 'Nodes'), nodes), h('section', { class: 'panel' }, key, h('h2', { style: { 'margin-top': '10px' } }, 'Slowest tasks'), slow),
          h('section', { class: 'panel' }, h('h2', {}, 'What happened'), log)))));
  const map = makeMap(element);
  map.on('click', (event) => showPoint(map, job, event.latlng));
  let grid = null; let mosaic = null; let tasks = []; let progress = null; let source = null; let isOpen = true; let fresh = 0; let timer = null;

  // The header: title, state, what can be done.
  async function head() {
    const answer = await ask(`/jobs/${job}`);
    say(title, answer.title || 'Untitled');
    document.title = `${answer.title || 'Job'} · Arbutus`;
    tell({ state: answer.state, phase: answer.phase, note: answer.message ?? '', run: answer.run, coordinator: answer.coordinator });
    return answer;
  }
  let shown = '';
  function tell(now) {
    progress = { ...progress, ...now };
    const { state: word, phase, note, run, coordinator } = progress;
    fill(about, word === 'running' ? `${phases[phase] ?? phase}; ` : '', `run ${run}, led by `, nodeName(coordinator), note ? h('span', { class: 'error' }, ` ${note}`) : null);
    if (shown !== word) {
      shown = word;
      fill(state, chip(word));
      const act = (text, run_, cls) => h('button', { class: cls, onclick: async (event) => {
        const button = event.currentTarget; button.disabled = true;
        try { await run_(); await head(); } catch (error) { alert(error.message); }
        button.disabled = false;
      } }, text);
      fill(actions, word === 'running' && act('Cancel', () => send(`/jobs/${job}`, undefined, 'DELETE'), 'danger'),
        ['cancelled', 'failed', 'partial'].includes(word) && act('Resume', async () => { await send(`/jobs/${job}/resume`); setTimeout(load, 1200); }, 'main'),
        ['complete', 'partial'].includes(word) && h('a', { class: 'button main', href: `#/map/${job}` }, 'Open on the map'));
      if (word !== 'running' && mosaic) mosaic.renew();
    }
    figures();
  }
  function figures() {
    const p = progress; if (p.count === undefined) return;
    const isLive = p.state === 'running';
    log.classList.toggle('over', !isLive);
    say(pixels, isLive ? amount(p.pixelsPerSecond, 'px/s') : '–'); say(bytes, isLive ? amount(p.bytesPerSecond, 'B/s') : '–');
    say(done, `${p.done} / ${p.count}`); say(running, isLive ? p.running : 0); say(queued, Math.max(0, p.count - p.done - p.givenUp - (isLive ? p.running : 0)));
    say(left, isLive ? (p.phase === 'assembling' ? 'a moment' : range(p.secondsLeft)) : p.state === 'complete' ? 'none' : '–');
    const whole = Math.max(1, p.count);
    bar.setAttribute('aria-valuenow', String(Math.round(100 * p.done / whole)));
    const wanted = (p.nodes ?? []).length ? p.nodes.flatMap((node) => [[node.node, node.done, 'done'], [node.node, isLive ? node.running : 0, 'running']]) : [[null, p.done, 'done']];
    while (bar.children.length < wanted.length) bar.append(h('i', {}));
    while (bar.children.length > wanted.length) bar.lastChild.remove();
    wanted.forEach(([node, count, cls], place) => {
      const part = bar.children[place]; part.className = cls; part.style.flexBasis = `${100 * count / whole}%`;
      part.style.background = node && nodeName(node).querySelector('i')?.style.background || 'var(--soft)';
    });
    fill(nodes, (p.nodes ?? []).length ? p.nodes.map((node) => h('li', { class: 'row', style: { 'justify-content': 'space-between' } }, nodeName(node.node),
      h('span', { class: 'small num soft', title: `${node.done} done, ${node.running} running, ${node.queued} queued; stole ${node.stolenIn} tasks, lost ${node.stolenOut} to others` },
        `${node.done} done`, isLive && (node.running || node.queued) ? ` · ${node.running} running, ${node.queued} queued` : '', node.stolenIn || node.stolenOut ? ` · stole ${node.stolenIn}, lost ${node.stolenOut}` : ''))) : h('li', { class: 'soft small' }, isLive ? 'Nobody has begun yet.' : 'Who did what is not remembered any more.'));
    fill(slow, (p.slowest ?? []).length ? p.slowest.map((item) => h('li', { class: 'row', style: { 'justify-content': 'space-between' } },
      h('button', { class: 'quiet small', onclick: () => zoom(item.task) }, `Task ${item.task}`), nodeName(item.node), h('span', { class: 'num' }, duration(item.seconds) === '0 s' ? '< 1 s' : `${item.seconds.toFixed(1)} s`))) : h('li', { class: 'soft' }, isLive ? 'None is done yet.' : 'How long each took is not remembered any more.'));
  }
  const zoom = (number) => { const outline = tasks[number]?.outline; if (outline?.length) map.fitBounds([[outline[1], outline[0]], [outline[5], outline[4]]], { padding: [80, 80] }); };

  // The log: what matters, newest first; single tasks are told by the grid.
  function write(time, cls, ...text) {
    const isTop = log.scrollTop < 8;
    log.prepend(h('li', { class: cls }, h('time', {}, clock(time ?? Date.now() / 1000)), h('span', {}, text)));
    while (log.children.length > 300) log.lastChild.remove();
    if (isTop) log.scrollTop = 0;
  }

  async function load() {
    clearTimeout(timer);
    try {
      const answer = await ask(`/jobs/${job}/tasks`);
      if (!isOpen) return;
      know(answer.nodes); know((answer.progress?.nodes ?? []).map((node) => node.node));
      say(doubt, answer.doubt && answer.state === 'running' ? `The tasks may stand otherwise by now: ${answer.doubt}.` : '');
      tasks = answer.tasks.map((task) => ({ ...task, node: task.node === undefined || task.node === null ? null : answer.nodes[task.node], path: [] }));
      const stolen = new Map((grid?.tasks ?? []).filter((task) => task.stolenBy).map((task) => [task.task, task.stolenBy]));
      for (const task of tasks) if (stolen.has(task.task)) task.stolenBy = stolen.get(task.task);
      if (!grid && answer.bbox) {
        grid = new TaskGrid(tasks, {}).addTo(map);
        map.fitBounds(boundsOf(answer.bbox), { padding: [20, 20], animate: false });
        mosaic = new Mosaic(map, job, answer.bbox, answer.indices[0].name, Number(opacity.value));
        fill(key, legend(answer.indices[0]));
      } else if (grid) { grid.tasks = tasks; grid.place(); }
      if (answer.progress) tell(answer.progress);
      else tell({ state: answer.state, count: tasks.length, done: tasks.filter((task) => task.state === 'done').length, givenUp: tasks.filter((task) => task.state === 'failed').length, running: 0, nodes: [], slowest: [] });
      listen(answer.last);
      if (!grid && answer.state === 'running') timer = setTimeout(load, 1000);
    } catch (error) {
      if (!isOpen) return;
      if (error.status === 404) throw error;
      say(doubt, error.message);
      timer = setTimeout(load, 2000);
    }
  }
  // The stream begins with what has happened before: that goes into the log only, the grid has it already.
  const isOld = (id, last) => {
    if (!last || !id) return false;
    const [a, b] = [id.split('.').map(Number), last.split('.').map(Number)];
    return a[0] === b[0] && a[1] <= b[1];
  };
  let hasHistory = false; let oldPhase = '';
  function listen(last) {
    source?.close();
    const from = hasHistory || !last ? last : `${last.split('.')[0]}.0`;
    hasHistory = true;
    source = stream(`/jobs/${job}/events${from ? `?after=${encodeURIComponent(from)}` : ''}`, {
      state(now, id) {
        if (isOld(id, last)) {
          if (now.phase !== oldPhase) write(now.time, '', phases[now.phase] ?? now.phase);
          oldPhase = now.phase;
          return;
        }
        know((now.nodes ?? []).map((node) => node.node));
        const old = progress ?? {};
        if (old.coordinator && now.coordinator !== old.coordinator) { write(now.time, 'bad', 'Node ', nodeName(now.coordinator), ' took the job over from ', nodeName(old.coordinator)); setTimeout(load, 1500); }
        if (now.phase !== old.phase) write(now.time, '', phases[now.phase] ?? now.phase);
        if (now.state !== old.state) write(now.time, now.state === 'failed' ? 'bad' : '', `The job is ${now.state}`);
        tell(now);
        if (now.reload || (!grid && now.phase === 'running')) load();
      },
      task(now, id) {
        if (isOld(id, last) && !['failed', 'waiting'].includes(now.state)) return;
        const task = tasks[now.task];
        if (!task) return;
        if (now.node) { know([now.node]); if (now.state !== 'running' || task.state !== 'done') task.node = now.node; }
        if (!(now.state === 'running' && task.state === 'done')) task.state = now.state;
        if (now.state === 'failed') write(now.time, 'bad', `Task ${now.task} was given up: ${now.reason ?? ''}`);
        if (now.state === 'waiting') write(now.time, '', `Task ${now.task} waits for its input: ${now.reason ?? ''}`);
        if (now.state === 'done') refresh();
        grid?.draw();
      },
      steal(now, id) {
        know([now.victim, now.thief]);
        if (isOld(id, last)) {
          for (const [from, to] of now.tasks) for (let place = from; place < to; place += 1) if (tasks[place]) tasks[place].stolenBy = now.thief;
          grid?.draw();
        } else for (const [from, to] of now.tasks) for (let place = from; place < to; place += 1) if (tasks[place] && tasks[place].state !== 'done') { tasks[place].node = now.thief; }
        if (!isOld(id, last)) grid?.steal(now);
        write(now.time, 'steal', nodeName(now.thief), ` stole ${now.count} ${now.count === 1 ? 'task' : 'tasks'} from `, nodeName(now.victim));
      },
      node(now) { know([now.node]); write(now.time, now.state === 'alive' ? '' : 'bad', 'Node ', nodeName(now.node), ` is ${now.state}`); },
    });
  }
  // The picture follows the tasks, every few seconds at most.
  function refresh() {
    if (fresh || !mosaic) return;
    fresh = setTimeout(() => { fresh = 0; if (isOpen) mosaic.renew(); }, 3000);
  }
  const leave = () => { isOpen = false; clearTimeout(timer); clearTimeout(fresh); source?.close(); map.remove(); };
  try {
    await head();
    await load();
  } catch (error) {
    leave();
    fill(main, h('div', { class: 'empty' }, h('b', {}, error.status === 404 ? 'There is no such job' : 'The job could not be read'), error.message, h('p', {}, h('a', { href: '#/jobs' }, 'All jobs'))));
    if (error.status === 0) reach(false);
    return () => {};
  }
  return leave;
}
