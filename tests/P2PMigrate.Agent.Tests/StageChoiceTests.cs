using System.CommandLine;
using P2PMigrate.Agent.Commands;

namespace P2PMigrate.Agent.Tests;

public sealed class StageChoiceTests
{
    [Theory]
    [InlineData("--for k", "add the stage")]
    [InlineData("--from i", "add the stage")]
    [InlineData("-d /mnt/between", "add the stage")]
    [InlineData("-s import-data -d /mnt/between --for k", "--for says who is to read")]
    [InlineData("-s restore-dump -d /mnt/between --from i --for k", "restore-dump puts nothing there")]
    [InlineData("-s unfreeze --for k", "unfreeze puts nothing there")]
    [InlineData("-s prepare-data -d /mnt/between --from i", "--from says who sealed")]
    [InlineData("-s create-dump -d /mnt/between --for k --from i", "create-dump takes nothing out")]
    [InlineData("-s unfreeze --from i", "unfreeze takes nothing out")]
    [InlineData("-s import-data -d /mnt/between --volumes copy", "--volumes is of the container as it runs at the source")]
    [InlineData("-s restore-dump -d /mnt/between --volume /data=copy", "restore-dump does not look at that")]
    [InlineData("-s unfreeze --bundle /srv/c1", "--bundle is of the container")]
    public void An_option_that_would_have_no_effect_is_refused(string typed, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<UsageException>(() => Look(typed)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("-s prepare-data -d /mnt/between")]
    [InlineData("-s prepare-data -d /mnt/between --for k --for l")]
    [InlineData("-s create-dump -d /mnt/between --for k --volumes skip --volume /data=copy --volume /conf=expect")]
    [InlineData("-s import-data -d /mnt/between --from i")]
    [InlineData("-s restore-dump -d /mnt/between --from i")]
    [InlineData("-s unfreeze")]
    [InlineData("-s unfreeze -d /mnt/elsewhere")]
    public void Others_are_not(string typed) => Look(typed);

    private static void Look(string typed)
    {
        (var stage, var source) = (new StageChoice(), new SourceContainer());
        var command = new Command("migrate") { stage.Stage, stage.Destination, stage.Seal.Option, stage.From };
        foreach (Option option in source.Options)
            command.Add(option);
        ParseResult parsed = command.Parse(typed);
        Assert.Empty(parsed.Errors);
        stage.RefuseIdle(parsed, source);
    }
}
