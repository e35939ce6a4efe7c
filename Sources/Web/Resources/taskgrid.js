// The tasks of a job on the map: one canvas, drawn when something changes, every frame only while tasks run.
/* global L */
import { colour } from './dom.js';

const calm = matchMedia('(prefers-reduced-motion: reduce)');

export const TaskGrid = window.L && L.Layer.extend({
  initialize(tasks, options) {
    this.tasks = tasks; this.arrows = []; this.isShown = true;
    L.setOptions(this, options);
  },
  onAdd(map) {
    this.map = map;
    this.canvas = L.DomUtil.create('canvas', 'leaflet-zoom-hide');
    this.canvas.style.pointerEvents = 'none';
    map.getPanes().overlayPane.append(this.canvas);
    map.on('moveend zoomend resize', this.place, this);
    map.on('zoomstart', this.hide, this);
    addEventListener('themechange', this.theme = () => this.draw());
    this.place();
    return this;
  },
  onRemove(map) {
    cancelAnimationFrame(this.frame);
    map.off('moveend zoomend resize', this.place, this);
    map.off('zoomstart', this.hide, this);
    removeEventListener('themechange', this.theme);
    this.canvas.remove();
    this.map = null;
  },
  hide() { this.canvas.getContext('2d').clearRect(0, 0, this.canvas.width, this.canvas.height); },
  place() {
    if (!this.map) return;
    const size = this.map.getSize();
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.canvas.width = size.x * ratio; this.canvas.height = size.y * ratio;
    this.canvas.style.width = `${size.x}px`; this.canvas.style.height = `${size.y}px`;
    this.ratio = ratio;
    L.DomUtil.setPosition(this.canvas, this.map.containerPointToLayerPoint([0, 0]));
    for (const task of this.tasks) {
      task.path = [];
      for (let at = 0; at < task.outline.length; at += 2) task.path.push(this.map.latLngToContainerPoint([task.outline[at + 1], task.outline[at]]));
    }
    this.draw();
  },
  steal(event) {
    const all = event.tasks.flatMap(([from, to]) => Array.from({ length: to - from }, (_, place) => this.tasks[from + place])).filter(Boolean);
    for (const task of all) task.stolenBy = event.thief;
    const from = this.tasks.filter((task) => task.node === event.victim && task.state !== 'waiting');
    this.arrows.push({ from: from.length ? from : all, to: all, thief: event.thief, began: performance.now() });
    this.draw();
  },
  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame((now) => this.paint(now));
  },
  paint(now) {
    if (!this.map) return;
    const context = this.canvas.getContext('2d');
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.isShown) return;
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue('--ink').trim(); const bad = style.getPropertyValue('--bad').trim();
    const soft = style.getPropertyValue('--soft').trim();
    const colours = new Map();
    const of = (node) => { if (!colours.has(node)) colours.set(node, colour(node)); return colours.get(node); };
    const beat = calm.matches ? 0.5 : 0.35 + 0.3 * Math.sin(now / 260);
    let isMoving = false;
    const stolen = [];
    for (const task of this.tasks) {
      if (task.path.length < 4) continue;
      context.beginPath();
      task.path.forEach((point, place) => (place ? context.lineTo(point.x, point.y) : context.moveTo(point.x, point.y)));
      context.closePath();
      const tint = task.node ? of(task.node) : soft;
      context.globalAlpha = 1; context.setLineDash([]); context.lineWidth = 1;
      if (task.state === 'done') { context.fillStyle = tint; context.globalAlpha = this.options.fill ?? 0.62; context.fill(); }
      if (task.state === 'running') { isMoving = true; context.fillStyle = tint; context.globalAlpha = beat; context.fill(); }
      if (task.state === 'queued') { context.fillStyle = tint; context.globalAlpha = 0.1; context.fill(); context.setLineDash([3, 3]); }
      context.globalAlpha = task.state === 'waiting' ? 0.35 : 0.9;
      context.strokeStyle = task.state === 'failed' ? bad : tint;
      context.stroke();
      if (task.state === 'failed') { // Last: the hatching takes the place of the task's path.
        context.save(); context.clip(); context.strokeStyle = bad; context.lineWidth = 1.5; context.globalAlpha = 0.9;
        const [a, , c] = task.path; context.beginPath();
        for (let at = a.x - (c.y - a.y); at < c.x; at += 6) { context.moveTo(at, c.y); context.lineTo(at + (c.y - a.y), a.y); }
        context.stroke(); context.restore();
      }
      if (task.stolenBy) stolen.push(task);
    }
    context.setLineDash([]); context.globalAlpha = 0.9; context.strokeStyle = ink; context.lineWidth = 2;
    for (const task of stolen) {
      const cx = (task.path[0].x + task.path[2].x) / 2; const cy = (task.path[0].y + task.path[2].y) / 2;
      context.beginPath();
      task.path.forEach((point, place) => {
        const x = point.x + Math.sign(cx - point.x) * 2; const y = point.y + Math.sign(cy - point.y) * 2;
        if (place) context.lineTo(x, y); else context.moveTo(x, y);
      });
      context.closePath(); context.stroke();
    }
    this.arrows = this.arrows.filter((arrow) => now - arrow.began < 5000);
    for (const arrow of this.arrows) { isMoving = true; this.arrow(context, arrow, now, of(arrow.thief), ink); }
    if (isMoving && !(calm.matches && !this.arrows.length)) this.frame = requestAnimationFrame((time) => this.paint(time));
  },
  arrow(context, arrow, now, tint, ink) {
    const middle = (tasks) => {
      const known = tasks.filter((task) => task.path.length > 3);
      const sum = known.reduce((all, task) => [all[0] + (task.path[0].x + task.path[2].x) / 2, all[1] + (task.path[0].y + task.path[2].y) / 2], [0, 0]);
      return [sum[0] / (known.length || 1), sum[1] / (known.length || 1)];
    };
    const [x0, y0] = middle(arrow.from); const [x1, y1] = middle(arrow.to);
    const age = (now - arrow.began) / 5000;
    const reach = calm.matches ? 1 : Math.min(1, age * 6);
    const bend = [(x0 + x1) / 2 - (y1 - y0) * 0.25, (y0 + y1) / 2 + (x1 - x0) * 0.25];
    const at = (t) => [0, 1].map((axis) => (1 - t) ** 2 * [x0, y0][axis] + 2 * (1 - t) * t * bend[axis] + t ** 2 * [x1, y1][axis]);
    context.globalAlpha = age > 0.7 ? (1 - age) / 0.3 : 1;
    for (const [stroke, width] of [[ink, 5], [tint, 3]]) {
      context.strokeStyle = stroke; context.lineWidth = width; context.lineCap = 'round'; context.beginPath();
      for (let t = 0; t <= reach + 1e-6; t += 0.04) { const [x, y] = at(Math.min(t, reach)); if (t) context.lineTo(x, y); else context.moveTo(x, y); }
      const tip = at(reach); const back = at(Math.max(0, reach - 0.06)); const angle = Math.atan2(tip[1] - back[1], tip[0] - back[0]);
      for (const side of [-0.5, 0.5]) { context.moveTo(tip[0], tip[1]); context.lineTo(tip[0] - 11 * Math.cos(angle + side), tip[1] - 11 * Math.sin(angle + side)); }
      context.stroke();
    }
  },
});
