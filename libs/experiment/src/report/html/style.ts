// How the page looks, in light and dark. Text has a contrast of at least 4.5:1, lines of at least 3:1, on both.

/**
 * Colours of the variants: [on light, on dark]. Told apart by lightness and dash too, not by hue alone; every second
 * line lets the one below shine through where the two are equal.
 */
const LOOKS: readonly (readonly [light: string, dark: string, dash: string])[] = [
  ['#c2410c', '#fb923c', 'none'],
  ['#1d5fd1', '#7db4ff', '10 4'],
  ['#0f7a55', '#3ddc97', '7 4'],
  ['#8b2fc9', '#cf9bff', '2 3'],
  ['#a16207', '#f2c94c', '9 3 2 3'],
  ['#be185d', '#ff8fc0', '5 2'],
  ['#0e7490', '#5fd4ee', '1 3'],
  ['#4b5563', '#b8c0cc', '12 4'],
];

const looks = LOOKS.map(
  ([, , dash], i) =>
    `.look${i} .line{stroke:var(--look${i});stroke-dasharray:${dash}}.look${i} .band{fill:var(--look${i})}.look${i} .marker{fill:var(--look${i})}`,
).join('\n');
const variables = (side: 0 | 1) => LOOKS.map((look, i) => `--look${i}:${look[side]}`).join(';');

export const STYLE = `
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--text:#1b2330;--soft:#56606f;--rule:#dde1e7;--grid:#e6e9ee;
--good:#0f7a4a;--bad:#b42318;--goodpage:#e3f5ec;--badpage:#fdebe9;--link:#1d5fd1;${variables(0)}}
@media (prefers-color-scheme:dark){:root{--page:#11151b;--card:#1a2029;--text:#e7ebf1;--soft:#a3adba;--rule:#313a47;--grid:#2a323e;
--good:#5ddc9d;--bad:#ff9a90;--goodpage:#14352a;--badpage:#431f1d;--link:#8fbcff;${variables(1)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header{max-width:1240px;margin:0 auto;padding:0 24px}
header{padding-top:28px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px}
h2{font-size:18px;margin:36px 0 12px}
h3{font-size:15px;margin:20px 0 8px}
p{margin:6px 0}
.soft{color:var(--soft)}
a{color:var(--link)}
nav{margin:14px 0 0}
nav a{margin-right:16px}
.badge{display:inline-block;font-weight:700;padding:2px 12px;border-radius:99px;margin-right:10px;letter-spacing:.04em}
.pass{color:var(--good);background:var(--goodpage)}
.fail{color:var(--bad);background:var(--badpage)}
.good{color:var(--good);font-weight:600}
.bad{color:var(--bad);font-weight:600}
.card,.chart,details{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:14px 16px}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,460px),1fr));gap:16px;margin:12px 0}
figure{margin:0;position:relative}
figcaption{font-weight:600;margin-bottom:4px}
svg{display:block;width:100%;height:auto}
svg:focus-visible,.scroll:focus-visible,summary:focus-visible,a:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:4px}
.axis line{stroke:var(--grid)}
.axis text{fill:var(--soft);font-size:12px}
.axis .x{text-anchor:middle}.axis .y{text-anchor:end}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.band{opacity:.18}
.range{stroke:var(--soft);stroke-width:8;stroke-linecap:round;opacity:.35}
.published{stroke:var(--text);stroke-width:2}
.cross{stroke:var(--soft);stroke-dasharray:3 3}
${looks}
.marked .marker{stroke:var(--card)}
.legend{display:flex;flex-wrap:wrap;gap:2px 18px;list-style:none;margin:6px 0 0;padding:0;font-size:13px}
.legend svg{display:inline-block;width:28px;height:10px;margin-right:6px}
.reading{display:block;min-height:20px;font-size:13px;color:var(--soft);font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--rule);border-radius:10px}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:7px 12px;text-align:left;vertical-align:top;min-width:7ch;max-width:46ch;border-bottom:1px solid var(--rule)}
td.number,.verdict,td .good,td .bad{white-space:nowrap}
td:first-child{min-width:14ch}
tbody tr:last-child td{border-bottom:0}
th{font-weight:600;color:var(--soft)}
.interval{display:block;color:var(--soft);font-size:12.5px;font-weight:400;white-space:nowrap}
.reasons{margin:8px 0 0;padding-left:20px;color:var(--bad)}
.number{text-align:right;font-variant-numeric:tabular-nums}
details{margin:12px 0}
details details{border:0;padding:4px 0;margin:4px 0}
details .scroll{border:0}
summary{cursor:pointer;font-weight:600}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
footer{color:var(--soft);font-size:13px;max-width:1240px;margin:40px auto 32px;padding:0 24px}
code{font-size:.92em;overflow-wrap:anywhere}
@media (max-width:600px){main,header,footer{padding-left:12px;padding-right:12px}.chart{padding:10px 8px}
.axis text{font-size:17px}}
@media print{body{background:#fff}.chart,.card{break-inside:avoid}}
`;

/** Reads values off the charts: pointer, or arrow keys on a chart that has the focus. Without it the page is complete. */
export const SCRIPT = `
'use strict';
const P=[[1e12,'T'],[1e9,'G'],[1e6,'M'],[1e3,'k'],[1,''],[1e-3,'m'],[1e-6,'µ'],[1e-9,'n']];
const U={bytes:'B',seconds:'s',bytes_per_second:'B/s',per_second:'/s'};
function show(v,unit){
  if(v===0)return '0';
  const u=U[unit];
  if(!u||(unit==='seconds'&&Math.abs(v)>=1))return Number(v.toPrecision(3)).toLocaleString('en-US')+(u?' '+u:'');
  const p=P.find(([f])=>Math.abs(v)>=f)||P[P.length-1];
  return Number((v/p[0]).toPrecision(3))+' '+p[1]+u;
}
const value=(a,px)=>{const r=(px-a.from)/(a.to-a.from);return a.log?a.min*Math.pow(a.max/a.min,r):a.min+r*(a.max-a.min)};
for(const svg of document.querySelectorAll('svg[data-x]')){
  const X=JSON.parse(svg.dataset.x),Y=JSON.parse(svg.dataset.y),cross=svg.querySelector('.cross');
  const out=svg.parentNode.querySelector('.reading');
  const lines=[...svg.querySelectorAll('.line')].map(l=>({name:l.dataset.name,points:(l.getAttribute('d')||'').slice(1).split('L').filter(Boolean).map(p=>p.split(',').map(Number))})).filter(l=>l.points.length);
  const xs=[...new Set(lines.flatMap(l=>l.points.map(p=>p[0])))].sort((a,b)=>a-b);
  let at=-1;
  const near=(ps,x)=>ps.reduce((b,p)=>Math.abs(p[0]-x)<Math.abs(b[0]-x)?p:b);
  const read=()=>{
    if(at<0||at>=xs.length)return;
    const x=xs[at];
    cross.setAttribute('x1',x);cross.setAttribute('x2',x);
    const label=show(value(X,x),X.unit);
    out.textContent='at '+label+': '+lines.filter(l=>x<=l.points[l.points.length-1][0]+2&&x>=l.points[0][0]-2).map(l=>l.name+' '+show(value(Y,near(l.points,x)[1]),Y.unit)).join(' · ');
  };
  svg.addEventListener('pointermove',e=>{
    const b=svg.getBoundingClientRect(),x=(e.clientX-b.left)/b.width*svg.viewBox.baseVal.width;
    at=xs.reduce((best,v,i)=>Math.abs(v-x)<Math.abs(xs[best]-x)?i:best,0);read();
  });
  svg.addEventListener('keydown',e=>{
    const step=e.key==='ArrowRight'?1:e.key==='ArrowLeft'?-1:0;
    if(!step)return;
    e.preventDefault();
    at=Math.min(xs.length-1,Math.max(0,at+step*(e.shiftKey?10:1)));read();
  });
}
`;
