// The map below everything: coastlines that the node brings itself; OpenStreetMap when the reader asks for it.
/* global L */
let coast;
/** Rings of land and lakes: [level, longitude, latitude, …] as 16 bits, see Coastline.swift. */
function rings() {
  coast ??= fetch('/basemap/coast.bin').then(async (answer) => {
    if (!answer.ok) return [];
    const data = new DataView(await answer.arrayBuffer());
    const result = [];
    let at = 0;
    while (at + 6 <= data.byteLength) {
      const level = data.getUint16(at, true); const count = data.getUint32(at + 2, true);
      at += 6;
      const ring = new Float64Array(count * 2);
      let west = 999; let east = -999; let south = 99; let north = -99;
      for (let point = 0; point < count; point += 1, at += 8) {
        const x = data.getInt32(at, true) / 1e5; const y = data.getInt32(at + 4, true) / 1e5;
        ring[point * 2] = x; ring[point * 2 + 1] = y;
        west = Math.min(west, x); east = Math.max(east, x); south = Math.min(south, y); north = Math.max(north, y);
      }
      result.push({ level, ring, west, east, south, north });
    }
    return result;
  }).catch(() => []);
  return coast;
}

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const Coast = window.L && L.GridLayer.extend({
  createTile(place, done) {
    const tile = document.createElement('canvas');
    const size = this.getTileSize();
    const ratio = Math.min(2, devicePixelRatio || 1);
    tile.width = size.x * ratio; tile.height = size.y * ratio;
    rings().then((all) => { paint(tile, place, size, ratio, all); done(null, tile); });
    return tile;
  },
});

function paint(tile, place, size, ratio, all) {
  const context = tile.getContext('2d');
  context.scale(ratio, ratio);
  context.fillStyle = style('--sea');
  context.fillRect(0, 0, size.x, size.y);
  const world = 256 * 2 ** place.z;
  const x0 = place.x * 256; const y0 = place.y * 256;
  const project = (lon, lat) => {
    const s = Math.sin(Math.max(-85.06, Math.min(85.06, lat)) * Math.PI / 180);
    return [(lon / 360 + 0.5) * world - x0, (0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)) * world - y0];
  };
  const lonAt = (x) => (x / world - 0.5) * 360;
  const latAt = (y) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y / world))) * 180 / Math.PI;
  const west = lonAt(x0 - 4); const east = lonAt(x0 + 260); const north = latAt(y0 - 4); const south = latAt(y0 + 260);
  context.lineWidth = 1;
  for (const turn of [0, -360, 360]) {
    for (const item of all) {
      if (item.west + turn > east || item.east + turn < west || item.south > north || item.north < south) continue;
      context.beginPath();
      for (let point = 0; point < item.ring.length; point += 2) {
        const [x, y] = project(item.ring[point] + turn, item.ring[point + 1]);
        const cx = Math.max(-5000, Math.min(5000, x)); const cy = Math.max(-5000, Math.min(5000, y));
        if (point === 0) context.moveTo(cx, cy); else context.lineTo(cx, cy);
      }
      context.closePath();
      context.fillStyle = item.level === 1 || item.level === 3 ? style('--land') : style('--sea');
      context.fill();
      context.strokeStyle = style('--coast');
      context.stroke();
    }
  }
  const step = [30, 30, 20, 10, 10, 5, 2, 1, 1, 0.5, 0.2, 0.1, 0.1, 0.05, 0.02, 0.01, 0.01, 0.005][place.z] ?? 0.005;
  context.strokeStyle = style('--graticule');
  context.beginPath();
  for (let lon = Math.ceil(west / step) * step; lon <= east; lon += step) {
    const x = Math.round(project(lon, 0)[0]) + 0.5;
    context.moveTo(x, 0); context.lineTo(x, size.y);
  }
  for (let lat = Math.ceil(south / step) * step; lat <= north; lat += step) {
    const y = Math.round(project(0, lat)[1]) + 0.5;
    context.moveTo(0, y); context.lineTo(size.x, y);
  }
  context.stroke();
}

/** A map in `element`; throws a sentence when Leaflet is not there. */
export function makeMap(element, options = {}) {
  if (!window.L) throw new Error('This node has no Leaflet: install Debian’s libjs-leaflet (scripts/setup does) and start it again.');
  const map = L.map(element, { zoomControl: false, worldCopyJump: true, minZoom: 2, maxZoom: 19, zoomSnap: 0.5, ...options });
  map.attributionControl.setPrefix(false);
  L.control.zoom({ position: 'topleft' }).addTo(map);
  L.control.scale({ imperial: false, position: 'bottomright' }).addTo(map);
  map.setView([30, 10], 2);
  let base = null;
  const choose = () => {
    base?.remove();
    base = localStorage.getItem('arbutus.base') === 'osm'
      ? L.tileLayer('https://tile.openstreetmap.org/{z}/{x}/{y}.png', { maxZoom: 19, attribution: '© OpenStreetMap contributors' })
      : new Coast({ attribution: 'Coast: GSHHG' });
    base.setZIndex(0);
    base.addTo(map);
  };
  choose();
  const Switch = L.Control.extend({
    onAdd() {
      const button = L.DomUtil.create('a', '');
      const bar = L.DomUtil.create('div', 'leaflet-bar');
      button.href = '#'; button.textContent = '◰'; button.title = 'Coastlines or OpenStreetMap'; button.setAttribute('role', 'button');
      button.setAttribute('aria-label', button.title);
      bar.append(button);
      L.DomEvent.on(button, 'click', (event) => {
        L.DomEvent.stop(event);
        localStorage.setItem('arbutus.base', localStorage.getItem('arbutus.base') === 'osm' ? 'coast' : 'osm');
        choose();
      });
      return bar;
    },
  });
  new Switch({ position: 'topleft' }).addTo(map);
  const redraw = () => { if (base instanceof Coast) base.redraw(); };
  addEventListener('themechange', redraw);
  const resize = new ResizeObserver(() => map.invalidateSize({ pan: false }));
  resize.observe(element);
  map.on('unload', () => { removeEventListener('themechange', redraw); resize.disconnect(); });
  return map;
}

export const boundsOf = (bbox) => L.latLngBounds([bbox[1], bbox[0]], [bbox[3], bbox[2]]);

/** The mosaic of a job; `renew` puts a fresh one on top and takes the old one away when it is there. */
export class Mosaic {
  constructor(map, job, bbox, index, opacity = 1) { Object.assign(this, { map, job, bbox, index, opacity, number: 0 }); this.renew(); }
  renew() {
    this.number += 1;
    const address = `/jobs/${this.job}/tiles/{z}/{x}/{y}.png?index=${encodeURIComponent(this.index)}&v=${this.number}`;
    const old = this.layer;
    this.layer = L.tileLayer(address, { bounds: this.bbox && boundsOf(this.bbox), opacity: this.opacity, maxNativeZoom: 19, maxZoom: 19, zIndex: 5 });
    if (old) this.layer.once('load', () => old.remove());
    this.layer.addTo(this.map);
  }
  show(index) { if (index !== this.index) { this.index = index; this.renew(); } }
  setOpacity(value) { this.opacity = value; this.layer.setOpacity(value); }
  remove() { this.layer.remove(); }
}
