using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace P2PMigrate.Architecture.Tests;

/// <summary>The house rules that a machine can see.</summary>
public sealed class TidyTests
{
    private const int FileLinesMax = 400;
    private const int MethodLinesMax = 60;

    private static readonly string[] s_topLevel =
    [
        ".ci", ".editorconfig", ".git", ".gitattributes", ".gitignore", "Directory.Build.props", "Directory.Packages.props",
        "LICENSE", "P2PMigrate.sln", "README.md", "bench", "global.json", "protocol-spec", "src", "tests",
    ];

    [Fact]
    public void The_top_level_holds_what_the_design_lists_and_nothing_else() =>
        Assert.Empty(Directory.EnumerateFileSystemEntries(Repository.Root).Select(path => Path.GetFileName(path)!)
            .Except(s_topLevel).Except(["artifacts"]));

    [Fact]
    public void A_file_is_one_concept_and_fits_into_four_hundred_lines() =>
        Assert.Empty(Repository.Files("src", "*.cs").Where(file => file.Lines.Length > FileLinesMax)
            .Select(file => $"{file.RelativePath}: {file.Lines.Length}"));

    [Fact]
    public void A_method_fits_on_a_screen() =>
        Assert.Empty(Repository.Files("src", "*.cs").SelectMany(LongMethods));

    [Fact]
    public void There_is_no_attic()
    {
        string[] attics = ["util", "utils", "utilities", "helper", "helpers", "common", "misc"];
        Assert.Empty(Repository.Files("src", "*.cs").Concat(Repository.Files("tests", "*.cs"))
            .Where(file => file.Segments.Any(segment => attics.Contains(Path.GetFileNameWithoutExtension(segment).ToLowerInvariant())))
            .Select(file => file.RelativePath));
    }

    [Fact]
    public void Nothing_is_left_unfinished_in_the_product()
    {
        string[] marks = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "NotImplemented" + "Exception"];
        Assert.Empty(Repository.Files("src", "*.cs")
            .Where(file => marks.Any(mark => file.Text.Contains(mark, StringComparison.Ordinal))).Select(file => file.RelativePath));
    }

    private static IEnumerable<string> LongMethods(SourceFile file) =>
        CSharpSyntaxTree.ParseText(file.Text).GetRoot().DescendantNodes().OfType<BaseMethodDeclarationSyntax>()
            .Where(method => method.Body is not null)
            .Select(method => (Method: method, Span: method.Body!.GetLocation().GetLineSpan()))
            .Where(pair => pair.Span.EndLinePosition.Line - pair.Span.StartLinePosition.Line > MethodLinesMax)
            .Select(pair => $"{file.RelativePath}:{pair.Span.StartLinePosition.Line + 1}");
}
