namespace P2PMigrate.Agent.Report;

/// <summary>What a report looks like. All of it is in the page: a report is one file that needs nothing else.</summary>
internal static class ReportStyle
{
    public const string Text =
        """
        :root { --ink:#1d2433; --soft:#667085; --line:#e4e7ec; --card:#fff; --page:#f5f6f8; --good:#0f7b5f; --bad:#c0362c; --doubt:#a15c00;
          --c1:#3a6ea5; --c2:#5b9bd5; --c3:#e0795a; --c4:#c8553d; --c5:#8a6fbf; --c6:#4f9d8b; --c7:#d7a13b; --c8:#9aa4b2; color-scheme:light dark }
        @media (prefers-color-scheme:dark) { :root { --ink:#e6e9ef; --soft:#98a2b3; --line:#2c3442; --card:#1a202b; --page:#11151c; --good:#3fbf98; --bad:#f0776c; --doubt:#e5a84b } }
        * { box-sizing:border-box } body { margin:0; background:var(--page); color:var(--ink); font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif }
        main { max-width:1040px; margin:0 auto; padding:32px 20px 48px }
        header { border-left:6px solid var(--tone); padding:4px 0 4px 18px; margin-bottom:26px }
        .good { --tone:var(--good) } .bad { --tone:var(--bad) } .doubt { --tone:var(--doubt) }
        h1 { margin:0; font-size:28px; line-height:1.25; letter-spacing:-.01em } h1 em { font-style:normal; color:var(--tone) }
        h2 { font-size:17px; margin:0 0 2px } header p { margin:4px 0 0; color:var(--soft) } .hint { color:var(--soft); margin:0 0 12px; font-size:13.5px }
        section { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:20px 22px; margin:0 0 18px }
        .tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(150px,1fr)); gap:12px; margin:0 0 18px }
        .tile { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:14px 16px }
        .tile b { display:block; font-size:24px; line-height:1.2; font-weight:650; letter-spacing:-.01em; font-variant-numeric:tabular-nums }
        .tile span { color:var(--soft); font-size:12.5px } .tile i { display:block; font-style:normal; color:var(--soft); font-size:12.5px; margin-top:4px }
        .route { display:flex; align-items:center; gap:14px; flex-wrap:wrap } .route div { min-width:0 } .route .arrow { color:var(--soft); font-size:22px }
        .route .here b::after { content:" ● runs here"; color:var(--good); font-size:12.5px; font-weight:500 } .mono { font:12.5px/1.4 ui-monospace,"DejaVu Sans Mono",monospace; color:var(--soft); overflow-wrap:anywhere }
        .three { display:grid; grid-template-columns:repeat(auto-fit,minmax(280px,1fr)); gap:18px } .three h3 { font-size:13.5px; font-weight:600; margin:0 0 6px }
        svg { width:100%; height:auto; display:block } svg text { fill:var(--ink); font:12px system-ui,"DejaVu Sans",sans-serif } svg .axis { fill:var(--soft); font-size:11.5px } svg .on-bar { fill:#fff; font-weight:550 }
        .grid { stroke:var(--line); stroke-width:1 } .tick { stroke:var(--soft); stroke-width:1 } .area { fill:var(--c2); opacity:.22 } .curve { fill:none; stroke:var(--c1); stroke-width:2; stroke-linejoin:round }
        .dot { fill:var(--c1) } .target { stroke:var(--good); stroke-width:1.6; stroke-dasharray:6 4 } .measured { stroke:var(--c4); stroke-width:1.6 }
        .frozen { fill:var(--c4); opacity:.13 } svg .frozen-text { fill:var(--c4); font-weight:600 } .files { fill:var(--c6) } .memory { fill:var(--c2) } .rate { fill:var(--c1) } .dirty { fill:var(--c3) }
        .phase { fill:var(--c8) } .phase-checking { fill:#98a2b3 } .phase-copying { fill:var(--c1) } .phase-freezing,.phase-dumping { fill:var(--c4) } .phase-shipping { fill:var(--c3) } .phase-restoring { fill:var(--c5) }
        .phase-committing { fill:var(--c7) } .phase-giving { fill:var(--c2) } .phase-destroying { fill:var(--c6) } .phase-rolling { fill:var(--doubt) } .broken { stroke:var(--bad); stroke-width:2; stroke-dasharray:4 3 }
        .part { fill:var(--c8) } .part-freeze { fill:var(--c1) } .part-dump { fill:var(--c4) } .part-transfer { fill:var(--c3) } .part-apply { fill:var(--c6) } .part-verify { fill:#7a8ca3 } .part-restore { fill:var(--c5) }
        .part-flush { fill:#6b7f99 } .part-commit { fill:var(--c7) } .part-release { fill:var(--c2) }
        .legend { display:flex; flex-wrap:wrap; gap:4px 18px; margin:8px 0 0; padding:0; list-style:none; font-size:13px; color:var(--soft) } .legend b { color:var(--ink); font-weight:550; font-variant-numeric:tabular-nums }
        .legend svg { display:inline-block; width:11px; height:11px; margin-right:6px; vertical-align:-1px }
        .wide { overflow-x:auto } table { border-collapse:collapse; width:100%; margin-top:14px; font-size:13.5px; font-variant-numeric:tabular-nums } th { text-align:right; color:var(--soft); font-weight:500; padding:6px 10px; border-bottom:1px solid var(--line) }
        td { text-align:right; padding:6px 10px; border-bottom:1px solid var(--line); white-space:nowrap } th:first-child,td:first-child { text-align:left } td.words { white-space:normal; text-align:left; min-width:15em } th.words { text-align:left }
        .note { border-left:4px solid var(--line); padding:2px 0 2px 12px; margin:10px 0 } .note.warning { border-color:var(--doubt) } .note.blocker { border-color:var(--bad) } .note.good { border-color:var(--good) } .note p { margin:0 } .note p+p { color:var(--soft) }
        pre { margin:12px 0 0; padding:12px 14px; background:var(--page); border-radius:8px; white-space:pre-wrap; overflow-wrap:anywhere; font:13px/1.5 ui-monospace,"DejaVu Sans Mono",monospace } footer { color:var(--soft); font-size:12.5px; margin-top:20px }
        """;
}
