using System.Text.RegularExpressions;

namespace P2PMigrate.Architecture.Tests;

/// <summary>Spec first, code cites it: every rule id is unique, every MUST is cited by the product, every citation exists.</summary>
public sealed partial class SpecificationTests
{
    private static readonly ILookup<string, string> s_rules = Repository.Files("protocol-spec", "*.md")
        .SelectMany(chapter => Rule().Matches(chapter.Text))
        .ToLookup(rule => rule.Groups["id"].Value, rule => rule.Groups["text"].Value);

    [Fact]
    public void Every_rule_id_is_given_once() =>
        Assert.Empty(s_rules.Where(rule => rule.Count() > 1).Select(rule => rule.Key));

    [Fact]
    public void Every_must_is_cited_where_it_is_implemented()
    {
        HashSet<string> cited = Citations("src").ToHashSet();
        HashSet<string> excepted = Repository.Files("protocol-spec", "exceptions.md")
            .SelectMany(file => Exception().Matches(file.Text)).Select(match => match.Groups["id"].Value).ToHashSet();
        Assert.Empty(s_rules.Where(rule => rule.First().Contains("MUST", StringComparison.Ordinal))
            .Select(rule => rule.Key).Where(id => !cited.Contains(id) && !excepted.Contains(id)));
    }

    [Fact]
    public void Every_citation_names_a_rule_that_exists() =>
        Assert.Empty(Citations("src").Concat(Citations("tests")).Distinct().Where(id => !s_rules.Contains(id)));

    [Fact]
    public void Every_chapter_has_rules_or_is_prose_by_design()
    {
        string[] prose = ["00-overview.md", "01-terminology.md", "12-constants.md", "13-errors.md", "exceptions.md", "README.md"];
        Assert.All(
            Repository.Files("protocol-spec", "*.md").Where(file => !prose.Contains(file.Segments[^1])),
            chapter => Assert.Matches(Rule(), chapter.Text));
    }

    private static IEnumerable<string> Citations(string folder) => Repository.Files(folder, "*.cs")
        .Where(file => file.Segments[1] != "P2PMigrate.Architecture.Tests")
        .SelectMany(file => Citation().Matches(file.Text))
        .SelectMany(match => match.Groups["id"].Captures.Select(capture => capture.Value));

    // "- [PATH-07] A peer MUST …", up to the next item or blank line.
    [GeneratedRegex(@"^\s*(?:[-*]|\d+\.)?\s*\[(?<id>[A-Z]{2,5}-\d{2,3})\]\s+(?<text>.+?)(?=\n\s*\n|\n\s*(?:[-*]|\d+\.)\s|\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Rule();

    // "// spec: PATH-07, PATH-08" and [Trait("Spec", "PATH-07")].
    [GeneratedRegex("""(?:spec:\s*(?:(?<id>[A-Z]{2,5}-\d{2,3})(?:\s*(?:,|and|to)\s*)?)+|Trait\("Spec",\s*"(?<id>[A-Z]{2,5}-\d{2,3})"\))""")]
    private static partial Regex Citation();

    [GeneratedRegex(@"\[(?<id>[A-Z]{2,5}-\d{2,3})\]")]
    private static partial Regex Exception();
}
