"""How the HTML report looks, and the little that it can do by itself.

No font, no image, nothing from elsewhere. Colour never says anything alone.
Rows stand in blocks that a browser lays out when they come into sight
(`content-visibility`), so a hundred thousand open and scroll; that needs
`display: block` on the parts of the table, and a grid for each row.
"""

from reconcile.cli.report.columns import ACTIONS

STYLE = (
    """
:root{color-scheme:light dark;--paper:#fdfdfb;--ink:#1d2021;--soft:#63676b;--line:#e4e3de;
--wash:#f4f3ee;--create:#1a7f37;--update:#8a5a00;--delete:#c0262d;--move:#1f5fbf;--meta:#0b7285;
--conflict:#8a2da5}
@media (prefers-color-scheme:dark){:root{--paper:#16181a;--ink:#e4e5e2;--soft:#9a9ea3;
--line:#2c2f33;--wash:#1e2124;--create:#56d364;--update:#e3b341;--delete:#ff7b72;--move:#79b8ff;
--meta:#5ccfe6;--conflict:#d8a0ee}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:84rem;padding:2.5rem 2rem 4rem;background:var(--paper);
color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,Ubuntu,Cantarell,
"Noto Sans",sans-serif;font-variant-numeric:tabular-nums}
h1,h2,p,dl,dd,ul{margin:0;padding:0}
h1{font-size:1.75rem;line-height:1.2;font-weight:650;letter-spacing:-.015em}
h2{font-size:1.05rem;font-weight:650;margin:2.5rem 0 .6rem;padding-bottom:.35rem;
border-bottom:1px solid var(--line)}
h2 small{font-weight:400;color:var(--soft);font-size:.85rem;margin-left:.4rem}
.eyebrow{color:var(--soft);font-size:.85rem;margin-bottom:.25rem}
code,.n{font-family:ui-monospace,"SFMono-Regular",Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.875em;overflow-wrap:anywhere;unicode-bidi:isolate;white-space:pre-wrap}
.sides{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.15rem 1rem;
margin:1.1rem 0 0}
.sides dt{color:var(--soft)}
.counts{display:flex;flex-wrap:wrap;gap:.5rem;margin:1.5rem 0 .4rem;padding:0;list-style:none}
.counts label{display:flex;gap:.45rem;align-items:baseline;padding:.3rem .7rem;
border:1px solid var(--line);border-radius:99px;background:var(--wash);cursor:pointer}
.kind{position:absolute;opacity:0}
.counts b{font-weight:650}
"""
    + "".join(
        f"#f-{action}:not(:checked)~main .{action}{{display:none}}\n"
        f"#f-{action}:not(:checked)~header [for=f-{action}]"
        "{opacity:.5;text-decoration:line-through}\n"
        f"#f-{action}:focus-visible~header [for=f-{action}]"
        "{outline:2px solid var(--move);outline-offset:2px}\n"
        for action in ACTIONS
    )
    + """
.hint{color:var(--soft);font-size:.85rem}
.guards li{display:grid;grid-template-columns:2.8rem minmax(0,1fr);gap:.4rem}
.guards{list-style:none;display:grid;gap:.3rem}
.stop{color:var(--delete);font-weight:650}
.ok{color:var(--create)}
.s{font:650 .95em/1.5 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.create .s,.mkdir .s{color:var(--create)}.update .s{color:var(--update)}
.delete .s,.rmdir .s,.error .s{color:var(--delete)}.move .s{color:var(--move)}
.meta .s{color:var(--meta)}.conflict .s{color:var(--conflict)}.note .s{color:var(--soft)}
.cards{display:grid;gap:.6rem}
.card{padding:.7rem .9rem;border:1px solid var(--line);border-left:3px solid var(--soft);
border-radius:6px;background:var(--wash);break-inside:avoid}
.card.conflict{border-left-color:var(--conflict)}.card.error{border-left-color:var(--delete)}
.card>p:first-child{display:flex;gap:.6rem;align-items:baseline}
.card .id{margin-left:auto;color:var(--soft);font-size:.85rem;white-space:nowrap}
.states{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:.2rem 1.2rem;
margin-top:.45rem;font-size:.9rem}
.states dt{color:var(--soft);font-size:.8rem}
.states .n{color:var(--soft)}
.many{content-visibility:auto;contain-intrinsic-size:auto 40rem}
table,thead,tbody{display:block}
table{font-size:.9rem}
tr{display:grid;align-items:baseline;gap:0 .9rem;
grid-template-columns:1.1rem 6.6rem minmax(0,1fr) 9.5rem 11rem 7.5rem;
padding:.28rem .3rem;border-bottom:1px solid var(--line)}
.run tr{grid-template-columns:1.1rem 6.6rem minmax(0,1fr) 9.5rem 10rem 6.5rem 8rem}
tbody{content-visibility:auto;contain-intrinsic-size:auto 500rem}
tbody tr:hover{background:var(--wash)}
thead{position:sticky;top:0;background:var(--paper);z-index:1}
th,td{padding:0;text-align:left;font-weight:400;min-width:0;overflow-wrap:anywhere}
th,th button{font:inherit;font-size:.8rem;color:var(--soft)}
th button{all:unset;cursor:pointer;font-size:.8rem;color:var(--soft)}
th button:hover{color:var(--ink)}
th button:focus-visible{outline:2px solid var(--move);outline-offset:2px}
th[aria-sort=ascending] button::after{content:" \\2191"}
th[aria-sort=descending] button::after{content:" \\2193"}
td:nth-child(2),td:nth-child(5),.from{color:var(--soft)}
:is(.mkdir,.rmdir) td:nth-child(3)::after{content:"/"}
td:nth-child(2),td:nth-child(4){white-space:nowrap}
th:nth-child(4),td:nth-child(4){text-align:right}
td:nth-child(6){font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.78rem;line-height:1.7;color:var(--soft);overflow:hidden;text-overflow:ellipsis;
white-space:nowrap}
.failed td:nth-child(7),.stale td:nth-child(7),.skipped td:nth-child(7),
.not-tried td:nth-child(7){color:var(--delete)}
footer{margin-top:3rem;color:var(--soft);font-size:.85rem;max-width:44rem}
@media (max-width:60rem){
body{padding:1.5rem 1rem 3rem}
h1{font-size:1.4rem}
.states{grid-template-columns:minmax(0,1fr);gap:.35rem}
.states>div{display:grid;grid-template-columns:2.6rem minmax(0,1fr)}
.states dt{font-size:inherit}
.sides{gap:.15rem .8rem}
.card>p:first-child{flex-wrap:wrap}
tr,.run tr{grid-template-columns:1rem max-content minmax(0,1fr) max-content;gap:.1rem .6rem;
padding:.5rem 0}
td:nth-child(1){grid-row:1}
td:nth-child(3){grid-column:2/-1;grid-row:1}
td:nth-child(n+2):not(:nth-child(3)){grid-row:2;font-size:.85em}
td:nth-child(2){grid-column:2}
td:nth-child(5){grid-column:3}
td:nth-child(4){grid-column:4}
td:nth-child(6){display:none}
td:nth-child(7):nth-child(7){grid-column:2/-1;grid-row:3}
.done td:nth-child(7):nth-child(7){display:none}
tbody{contain-intrinsic-size:auto 700rem}
thead tr{display:flex;flex-wrap:wrap;gap:.9rem}
th:nth-child(1),th:nth-child(6){display:none}}
@media print{
:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--wash:#fff;
--create:#000;--update:#000;--delete:#000;--move:#000;--meta:#000;--conflict:#000}
body{max-width:none;padding:0;font-size:1rem}
html{font-size:12px}
thead{display:none}
tbody,.many{content-visibility:visible}
tr{break-inside:avoid}
h2{break-after:avoid}
.hint{display:none}
.counts label{border-radius:0;border:0;padding:0 1rem 0 0}}
"""
)

SCRIPT = """
(()=>{const t=document.getElementById("steps");if(!t)return;
const heads=[...t.tHead.rows[0].cells];let rows,last=2,way=1;
heads.forEach((head,col)=>{if(!head.textContent)return;
const b=document.createElement("button");b.type="button";b.textContent=head.textContent;
head.replaceChildren(b);b.onclick=()=>{
rows=rows||[...t.tBodies].flatMap(x=>[...x.rows]).map((row,place)=>({row,place}));
way=col===last?-way:1;last=col;
for(const r of rows){const c=r.row.cells[col];
r.key=col===2?r.place:col===3?+(c.dataset.b||-1):c.textContent}
rows.sort((x,y)=>way*(x.key<y.key?-1:x.key>y.key?1:0)||x.place-y.place);
let at=0;for(const body of t.tBodies){const n=body.rows.length;
body.replaceChildren(...rows.slice(at,at+=n).map(r=>r.row))}
heads.forEach(h=>h.removeAttribute("aria-sort"));
head.setAttribute("aria-sort",way>0?"ascending":"descending")}})})()
"""
