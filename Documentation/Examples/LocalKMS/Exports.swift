// A command needs to import nothing else for what it shows.
@_exported public import AWSCompatibility
