using System.CommandLine;
var root = new RootCommand("x");
var c = new Command("id", "prints id");
var o = new Option<string>("--state-dir") { Description = "dir", DefaultValueFactory = _ => "/var/lib/p2pmigrate" };
c.Options.Add(o);
c.SetAction((r, ct) => { Spectre.Console.AnsiConsole.MarkupLine("[green]hi[/] " + r.GetValue(o)); return Task.FromResult(0); });
root.Subcommands.Add(c);
var p = root.Parse(args);
return p.Errors.Count > 0 ? 2 : await p.InvokeAsync();
